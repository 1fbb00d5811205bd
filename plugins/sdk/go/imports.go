//go:build wasip1

package sandbar

import "unsafe"

//go:wasmimport sandbar_v1 msg_text
func msgText(msg int32, name unsafe.Pointer, n uint32, field, value int32, to unsafe.Pointer, room uint32) int32

//go:wasmimport sandbar_v1 msg_number
func msgNumber(msg int32, name unsafe.Pointer, n uint32, field, value int32, to unsafe.Pointer) int32

//go:wasmimport sandbar_v1 msg_integer
func msgInteger(msg int32, name unsafe.Pointer, n uint32, field, value int32, to unsafe.Pointer) int32

//go:wasmimport sandbar_v1 msg_type
func msgType(msg int32, name unsafe.Pointer, n uint32, field int32) int32

//go:wasmimport sandbar_v1 msg_count
func msgCount(msg int32, name unsafe.Pointer, n uint32, field int32) int32

//go:wasmimport sandbar_v1 inject_new
func injectNew()

//go:wasmimport sandbar_v1 inject_header
func injectHeader(header int32, text unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 inject_number
func injectNumber(header int32, value int64)

//go:wasmimport sandbar_v1 inject_field
func injectField(name unsafe.Pointer, n uint32, repr unsafe.Pointer, rn uint32, kind int32, values unsafe.Pointer, count uint32)

//go:wasmimport sandbar_v1 inject_send
func injectSend()

//go:wasmimport sandbar_v1 inject_raw
func injectRaw(message unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 payload_add
func payloadAdd(text unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 payload_send
func payloadSend(kind unsafe.Pointer, kn uint32, name unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 buffer_new
func bufferNew(rows, columns, secondsPerRow int32) int32

//go:wasmimport sandbar_v1 buffer_header
func bufferHeader(buffer, column int32, name unsafe.Pointer, n uint32, unit unsafe.Pointer, un uint32, aggregation unsafe.Pointer, an uint32)

//go:wasmimport sandbar_v1 buffer_add
func bufferAdd(buffer int32, ns int64, column int32, value float64) int32

//go:wasmimport sandbar_v1 buffer_set
func bufferSet(buffer int32, ns int64, column int32, value float64) int32

//go:wasmimport sandbar_v1 buffer_get
func bufferGet(buffer int32, ns int64, column int32) float64

//go:wasmimport sandbar_v1 buffer_annotate
func bufferAnnotate(buffer int32, ns int64, column, alert int32, text unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 buffer_payload
func bufferPayload(buffer, delta int32)

//go:wasmimport sandbar_v1 alert_send
func alertSend(id unsafe.Pointer, in uint32, summary unsafe.Pointer, sn uint32, detail unsafe.Pointer, dn uint32, minutes float64) int32

//go:wasmimport sandbar_v1 alert_over
func alertOver(id unsafe.Pointer, in uint32, detail unsafe.Pointer, dn uint32) int32

//go:wasmimport sandbar_v1 alert_label
func alertLabel(name unsafe.Pointer, n uint32, value unsafe.Pointer, vn uint32)

//go:wasmimport sandbar_v1 alert_note
func alertNote(id unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 alert_throttled
func alertThrottled(id unsafe.Pointer, n uint32, minutes float64) int32

//go:wasmimport sandbar_v1 alert_threshold
func alertThreshold(id unsafe.Pointer, n uint32) float64

//go:wasmimport sandbar_v1 anomaly_look
func anomalyLook(method unsafe.Pointer, n uint32, values unsafe.Pointer, count, at uint32, step int64, to unsafe.Pointer) int32

//go:wasmimport sandbar_v1 anomaly_buffer
func anomalyBuffer(method unsafe.Pointer, n uint32, buffer, column int32, ns int64, to unsafe.Pointer) int32

//go:wasmimport sandbar_v1 anomaly_compare
func anomalyCompare(what unsafe.Pointer, n uint32, a unsafe.Pointer, an uint32, b unsafe.Pointer, bn uint32, q float64, to unsafe.Pointer)

//go:wasmimport sandbar_v1 anomaly_categories
func anomalyCategories(now, then unsafe.Pointer, count uint32, p float64, to unsafe.Pointer)

//go:wasmimport sandbar_v1 anomaly_decompose
func anomalyDecompose(values unsafe.Pointer, count uint32, periods unsafe.Pointer, k uint32, to unsafe.Pointer)

//go:wasmimport sandbar_v1 config_text
func configText(key unsafe.Pointer, n uint32, to unsafe.Pointer, room uint32) int32

//go:wasmimport sandbar_v1 config_number
func configNumber(key unsafe.Pointer, n uint32, to unsafe.Pointer) int32

//go:wasmimport sandbar_v1 print
func print_(line unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 status_text
func statusText(text unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 now
func now() int64

//go:wasmimport sandbar_v1 random
func random() uint64

//go:wasmimport sandbar_v1 fuel_left
func fuelLeft() int64

//go:wasmimport sandbar_v1 geo
func geo(address unsafe.Pointer, n uint32, part int32, to unsafe.Pointer, room uint32) int32

//go:wasmimport sandbar_v1 schema_validate
func schemaValidate(ns unsafe.Pointer, nn uint32, kind unsafe.Pointer, kn uint32, version unsafe.Pointer, vn uint32, json unsafe.Pointer, n uint32, why unsafe.Pointer, room uint32) int32

//go:wasmimport sandbar_v1 lake_heka
func lakeHeka(path unsafe.Pointer, n uint32)

//go:wasmimport sandbar_v1 lake_parquet
func lakeParquet(path unsafe.Pointer, n uint32, fields unsafe.Pointer, fn uint32, payload unsafe.Pointer, pn uint32, schema unsafe.Pointer, sn uint32)

//go:wasmimport sandbar_v1 checkpoint
func checkpoint(sequence int64)

//go:wasmimport sandbar_v1 state_read
func stateRead(offset uint32, to unsafe.Pointer, room uint32) int32

//go:wasmimport sandbar_v1 state_write
func stateWrite(from unsafe.Pointer, n uint32)
