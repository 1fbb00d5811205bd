// The interface sandbar_v1 for plugins in AssemblyScript. A plugin exports its functions itself, from its first file:
//
//   export function sandbar_process(messages: i32): i32   // 0 is good, -1 failed, above 0 ends the plugin
//   export function sandbar_timer(ns: i64, last: i32): void // when its config has a ticker_interval
//   export function sandbar_init(): i32                   // if it likes; anything but 0 keeps it from being loaded
//   export { sandbar_v1 } from "./sandbar"                // the mark of the interface
//
// A name of what is read is as in Lua's read_message: Type, Logger, Hostname, EnvVersion, Payload, Uuid, Timestamp, Severity, Pid, raw,
// framed, size, Fields[name].

@external("sandbar_v1", "msg_text") declare function msg_text(msg: i32, name: usize, n: i32, field: i32, value: i32, to: usize, room: i32): i32;
@external("sandbar_v1", "msg_number") declare function msg_number(msg: i32, name: usize, n: i32, field: i32, value: i32, to: usize): i32;
@external("sandbar_v1", "msg_integer") declare function msg_integer(msg: i32, name: usize, n: i32, field: i32, value: i32, to: usize): i32;
@external("sandbar_v1", "msg_type") declare function msg_type(msg: i32, name: usize, n: i32, field: i32): i32;
@external("sandbar_v1", "msg_count") declare function msg_count(msg: i32, name: usize, n: i32, field: i32): i32;
@external("sandbar_v1", "inject_new") declare function inject_new(): void;
@external("sandbar_v1", "inject_header") declare function inject_header(header: i32, text: usize, n: i32): void;
@external("sandbar_v1", "inject_number") declare function inject_number(header: i32, value: i64): void;
@external("sandbar_v1", "inject_field") declare function inject_field(name: usize, n: i32, repr: usize, rn: i32, kind: i32, values: usize, count: i32): void;
@external("sandbar_v1", "inject_send") declare function inject_send(): void;
@external("sandbar_v1", "inject_raw") declare function inject_raw(message: usize, n: i32): void;
@external("sandbar_v1", "payload_add") declare function payload_add(text: usize, n: i32): void;
@external("sandbar_v1", "payload_send") declare function payload_send(kind: usize, kn: i32, name: usize, n: i32): void;
@external("sandbar_v1", "buffer_new") declare function buffer_new(rows: i32, columns: i32, secondsPerRow: i32): i32;
@external("sandbar_v1", "buffer_header") declare function buffer_header(buffer: i32, column: i32, name: usize, n: i32, unit: usize, un: i32, aggregation: usize, an: i32): void;
@external("sandbar_v1", "buffer_add") declare function buffer_add(buffer: i32, ns: i64, column: i32, value: f64): i32;
@external("sandbar_v1", "buffer_set") declare function buffer_set(buffer: i32, ns: i64, column: i32, value: f64): i32;
@external("sandbar_v1", "buffer_get") declare function buffer_get(buffer: i32, ns: i64, column: i32): f64;
@external("sandbar_v1", "buffer_annotate") declare function buffer_annotate(buffer: i32, ns: i64, column: i32, alert: i32, text: usize, n: i32): void;
@external("sandbar_v1", "buffer_payload") declare function buffer_payload(buffer: i32, delta: i32): void;
@external("sandbar_v1", "alert_send") declare function alert_send(id: usize, idn: i32, summary: usize, sn: i32, detail: usize, dn: i32, minutes: f64): i32;
@external("sandbar_v1", "alert_over") declare function alert_over(id: usize, idn: i32, detail: usize, dn: i32): i32;
@external("sandbar_v1", "alert_label") declare function alert_label(name: usize, n: i32, value: usize, vn: i32): void;
@external("sandbar_v1", "alert_note") declare function alert_note(id: usize, n: i32): void;
@external("sandbar_v1", "alert_throttled") declare function alert_throttled(id: usize, n: i32, minutes: f64): i32;
@external("sandbar_v1", "alert_threshold") declare function alert_threshold(id: usize, n: i32): f64;
@external("sandbar_v1", "anomaly_look") declare function anomaly_look(method: usize, n: i32, values: usize, count: i32, index: i32, step: i64, to: usize): i32;
@external("sandbar_v1", "anomaly_buffer") declare function anomaly_buffer(method: usize, n: i32, buffer: i32, column: i32, ns: i64, to: usize): i32;
@external("sandbar_v1", "anomaly_compare") declare function anomaly_compare(what: usize, n: i32, a: usize, an: i32, b: usize, bn: i32, q: f64, to: usize): void;
@external("sandbar_v1", "anomaly_categories") declare function anomaly_categories(now: usize, then: usize, count: i32, p: f64, to: usize): void;
@external("sandbar_v1", "anomaly_decompose") declare function anomaly_decompose(values: usize, count: i32, periods: usize, k: i32, to: usize): void;
@external("sandbar_v1", "config_text") declare function config_text(key: usize, n: i32, to: usize, room: i32): i32;
@external("sandbar_v1", "config_number") declare function config_number(key: usize, n: i32, to: usize): i32;
@external("sandbar_v1", "print") declare function host_print(line: usize, n: i32): void;
@external("sandbar_v1", "status_text") declare function status_text(text: usize, n: i32): void;
@external("sandbar_v1", "now") declare function host_now(): i64;
@external("sandbar_v1", "random") declare function host_random(): u64;
@external("sandbar_v1", "geo") declare function host_geo(address: usize, n: i32, part: i32, to: usize, room: i32): i32;
@external("sandbar_v1", "schema_validate") declare function schema_validate(ns: usize, nn: i32, kind: usize, kn: i32, version: usize, vn: i32, json: usize, n: i32, why: usize, room: i32): i32;
@external("sandbar_v1", "lake_heka") declare function lake_heka(path: usize, n: i32): void;
@external("sandbar_v1", "lake_parquet") declare function lake_parquet(path: usize, n: i32, fields: usize, fn: i32, payload: usize, pn: i32, schema: usize, sn: i32): void;
@external("sandbar_v1", "checkpoint") declare function host_checkpoint(sequence: i64): void;
@external("sandbar_v1", "fuel_left") declare function fuel_left(): i64;
@external("sandbar_v1", "state_read") declare function state_read(offset: i32, to: usize, room: i32): i32;
@external("sandbar_v1", "state_write") declare function state_write(from: usize, n: i32): void;

// The mark of the interface.
export function sandbar_v1(): void {}

// abort is where AssemblyScript ends when something is wrong; asc is told so with --use abort=assembly/sandbar/abort.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  print("abort: " + (message ? message : "") + " in " + (file ? file : "") + ":" + line.toString() + ":" + column.toString());
  unreachable();
}

function utf8(s: string): ArrayBuffer {
  return String.UTF8.encode(s);
}
function at(b: ArrayBuffer): usize {
  return changetype<usize>(b);
}

const scratch = new ArrayBuffer(8);

// A text or bytes of the message, of one of several fields of the name and of its values; null when it is not there.
export function bytes(name: string, field: i32 = 0, value: i32 = 0): ArrayBuffer | null {
  const key = utf8(name);
  let to = new ArrayBuffer(256);
  const n = msg_text(0, at(key), key.byteLength, field, value, at(to), to.byteLength);
  if (n < 0) return null;
  if (n > to.byteLength) {
    to = new ArrayBuffer(n);
    msg_text(0, at(key), key.byteLength, field, value, at(to), n);
  }
  return to.slice(0, n);
}
export function text(name: string): string | null {
  const b = bytes(name);
  return b ? String.UTF8.decode(b) : null;
}

// An integer, double or boolean of the message; otherwise when it is not there.
export function number(name: string, otherwise: f64 = 0, field: i32 = 0, value: i32 = 0): f64 {
  const key = utf8(name);
  return msg_number(0, at(key), key.byteLength, field, value, at(scratch)) ? load<f64>(at(scratch)) : otherwise;
}
export function integer(name: string, otherwise: i64 = 0): i64 {
  const key = utf8(name);
  return msg_integer(0, at(key), key.byteLength, 0, 0, at(scratch)) ? load<i64>(at(scratch)) : otherwise;
}

// The type of a field (0 string, 1 bytes, 2 integer, 3 double, 4 boolean; -1 none), and how many values it has.
export function fieldType(name: string, field: i32 = 0): i32 {
  const key = utf8(name);
  return msg_type(0, at(key), key.byteLength, field);
}
export function count(name: string, field: i32 = 0): i32 {
  const key = utf8(name);
  return msg_count(0, at(key), key.byteLength, field);
}

// sendRaw sends an encoded message.
export function sendRaw(message: ArrayBuffer): void {
  inject_raw(at(message), message.byteLength);
}

export const enum Header { Type, Logger, Hostname, EnvVersion, Payload, Uuid, Timestamp, Severity, Pid }

// A message that is being made; there is one at a time.
export class Out {
  constructor(messageType: string) {
    inject_new();
    this.header(Header.Type, messageType);
  }
  header(header: i32, value: string): Out {
    const b = utf8(value);
    inject_header(header, at(b), b.byteLength);
    return this;
  }
  headerNumber(header: i32, n: i64): Out {
    inject_number(header, n);
    return this;
  }
  string(name: string, value: string): Out {
    const b = utf8(value), pair = new ArrayBuffer(8);
    store<u32>(at(pair), <u32>at(b));
    store<u32>(at(pair) + 4, b.byteLength);
    return this.field(name, 0, pair);
  }
  integer(name: string, value: i64): Out {
    store<i64>(at(scratch), value);
    return this.field(name, 2, scratch);
  }
  double(name: string, value: f64): Out {
    store<f64>(at(scratch), value);
    return this.field(name, 3, scratch);
  }
  bool(name: string, value: bool): Out {
    store<bool>(at(scratch), value);
    return this.field(name, 4, scratch);
  }
  private field(name: string, kind: i32, value: ArrayBuffer): Out {
    const key = utf8(name);
    inject_field(at(key), key.byteLength, 0, 0, kind, at(value), 1);
    return this;
  }
  send(): void {
    inject_send();
  }
}

// add adds to the payload that sendPayload sends as a message of its own: type "txt", "json", "cbuf", ... and a name.
export function add(value: string): void {
  const b = utf8(value);
  payload_add(at(b), b.byteLength);
}
export function sendPayload(kind: string, name: string): void {
  const k = utf8(kind), n = utf8(name);
  payload_send(at(k), k.byteLength, at(n), n.byteLength);
}

// A circular buffer: rows of equal spans of time, columns from 1.
export class Buffer {
  handle: i32;
  constructor(rows: i32, columns: i32, secondsPerRow: i32) {
    this.handle = buffer_new(rows, columns, secondsPerRow);
  }
  // A unit, and how the column is added up (sum, min, max, none).
  column(column: i32, name: string, unit: string, aggregation: string): Buffer {
    const n = utf8(name), u = utf8(unit), a = utf8(aggregation);
    buffer_header(this.handle, column, at(n), n.byteLength, at(u), u.byteLength, at(a), a.byteLength);
    return this;
  }
  // add reports false when the time, nanoseconds since the epoch, is before the oldest row.
  add(ns: i64, column: i32, value: f64): bool {
    return buffer_add(this.handle, ns, column, value) != 0;
  }
  set(ns: i64, column: i32, value: f64): bool {
    return buffer_set(this.handle, ns, column, value) != 0;
  }
  get(ns: i64, column: i32): f64 {
    return buffer_get(this.handle, ns, column);
  }
  // anomaly is what a method of docs/anomaly.md ("seasonal", "ewma far=5") says of the row of a time; below 0 the newest that is complete. It is null when the buffer does not have it.
  anomaly(method: string, column: i32, ns: i64): StaticArray<f64> | null {
    const m = utf8(method), to = new StaticArray<f64>(5);
    return anomaly_buffer(at(m), m.byteLength, this.handle, column, ns, changetype<usize>(to)) < 0 ? null : to;
  }
  annotate(ns: i64, column: i32, alert: bool, note: string): void {
    const b = utf8(note);
    buffer_annotate(this.handle, ns, column, alert ? 1 : 0, at(b), b.byteLength);
  }
  addToPayload(): void {
    buffer_payload(this.handle, 0);
  }
}

// anomaly is what a method says of value i of values a step of seconds apart: score (from 1 on it is unusual), direction, expected, low, high.
export function anomaly(method: string, values: StaticArray<f64>, i: i32, step: i64): StaticArray<f64> {
  const m = utf8(method), to = new StaticArray<f64>(5);
  anomaly_look(at(m), m.byteLength, changetype<usize>(values), values.length, i, step, changetype<usize>(to));
  return to;
}

// compare compares two samples or histograms: "rank_sum", "pearson", "earth_mover", "chi_square" or "quantile_shift".
export function compare(what: string, a: StaticArray<f64>, b: StaticArray<f64>, q: f64): StaticArray<f64> {
  const w = utf8(what), to = new StaticArray<f64>(3);
  anomaly_compare(at(w), w.byteLength, changetype<usize>(a), a.length, changetype<usize>(b), b.length, q, changetype<usize>(to));
  return to;
}

// categories says of each category whether it is new (1) or has vanished (-1), beyond a chance of p.
export function categories(now: StaticArray<f64>, then: StaticArray<f64>, p: f64): StaticArray<i8> {
  const to = new StaticArray<i8>(min(now.length, then.length));
  anomaly_categories(changetype<usize>(now), changetype<usize>(then), to.length, p, changetype<usize>(to));
  return to;
}

// decompose gives trend, wave and rest of values, one after the other; periods are counts of values.
export function decompose(values: StaticArray<f64>, periods: StaticArray<i32>): StaticArray<f64> {
  const to = new StaticArray<f64>(3 * values.length);
  anomaly_decompose(changetype<usize>(values), values.length, changetype<usize>(periods), periods.length, changetype<usize>(to));
  return to;
}

// alertOver says that what alerts of an id were about is as usual again, if one was sent.
export function alertOver(id: string, detail: string): bool {
  const i = utf8(id), d = utf8(detail);
  return alert_over(at(i), i.byteLength, at(d), d.byteLength) != 0;
}

// alertLabel gives the next alert a label, by which routes choose and group.
export function alertLabel(name: string, value: string): void {
  const k = utf8(name), v = utf8(value);
  alert_label(at(k), k.byteLength, at(v), v.byteLength);
}

// alertNote says that the message at hand is evidence for alerts of the id: it is kept with the next one.
export function alertNote(id: string): void {
  const i = utf8(id);
  alert_note(at(i), i.byteLength);
}

// alert sends an alert, at most one of an id in the time that the config says, and reports whether it did.
export function alert(id: string, summary: string, detail: string): bool {
  const i = utf8(id), s = utf8(summary), d = utf8(detail);
  return alert_send(at(i), i.byteLength, at(s), s.byteLength, at(d), d.byteLength, -1) != 0;
}

export function throttled(id: string): bool {
  const i = utf8(id);
  return alert_throttled(at(i), i.byteLength, -1) != 0;
}
// threshold is that of an id in the config, NaN when there is none.
export function threshold(id: string): f64 {
  const i = utf8(id);
  return alert_threshold(at(i), i.byteLength);
}

// A text of the config, or null; of a table with a dot: "alert.throttle".
export function config(key: string): string | null {
  const k = utf8(key), to = new ArrayBuffer(4096);
  const n = config_text(at(k), k.byteLength, at(to), to.byteLength);
  return n < 0 ? null : String.UTF8.decode(to.slice(0, n));
}
export function configNumber(key: string, otherwise: f64): f64 {
  const k = utf8(key);
  return config_number(at(k), k.byteLength, at(scratch)) ? load<f64>(at(scratch)) : otherwise;
}

export function print(line: string): void {
  const b = utf8(line);
  host_print(at(b), b.byteLength);
}
// status says why sandbar_process will not return 0.
export function status(why: string): void {
  const b = utf8(why);
  status_text(at(b), b.byteLength);
}
// geo is a part of what is known of an address: 0 country, 1 city, 2 and 3 subdivisions, 4 provider. For decoders.
export function geo(address: string, part: i32): string | null {
  const a = utf8(address), to = new ArrayBuffer(256);
  const n = host_geo(at(a), a.byteLength, part, at(to), to.byteLength);
  return n < 0 ? null : String.UTF8.decode(to.slice(0, n));
}
// validate checks a JSON text against a schema: 1 it obeys, 0 it does not, -1 there is no such schema, -2 it is no JSON. For decoders.
export function validate(namespace: string, docType: string, version: string, json: ArrayBuffer): i32 {
  const n = utf8(namespace), t = utf8(docType), v = utf8(version);
  return schema_validate(at(n), n.byteLength, at(t), t.byteLength, at(v), v.byteLength, at(json), json.byteLength, 0, 0);
}
// For outputs: write the message into a file of the lake, acknowledge messages.
export function lakeHeka(path: string): void {
  const p = utf8(path);
  lake_heka(at(p), p.byteLength);
}
export function lakeParquet(path: string, fields: string = "", payload: string = "", schema: string = ""): void {
  const p = utf8(path), f = utf8(fields), l = utf8(payload), s = utf8(schema);
  lake_parquet(at(p), p.byteLength, at(f), f.byteLength, at(l), l.byteLength, at(s), s.byteLength);
}
export function checkpoint(sequence: i64): void {
  host_checkpoint(sequence);
}
export function random(): u64 {
  return host_random();
}
export function now(): i64 {
  return host_now();
}
export function fuelLeft(): i64 {
  return fuel_left();
}

// For sandbar_save and sandbar_load(n): what is kept instead of an image of the memory, and also over a change of the plugin's code.
export function writeState(b: ArrayBuffer): void {
  state_write(at(b), b.byteLength);
}
export function readState(n: i32): ArrayBuffer {
  const b = new ArrayBuffer(n);
  return b.slice(0, state_read(0, at(b), n));
}
