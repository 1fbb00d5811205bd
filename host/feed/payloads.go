package feed

import "fmt"

// mainPayload is a browser session.
func mainPayload(w *world, _ int) doc {
	length := w.between(60, 14000)
	return doc{
		"info": doc{
			"reason":    pick(w.rng, []string{"shutdown", "daily", "environment-change", "aborted-session"}),
			"sessionId": w.uuid(), "subsessionId": w.uuid(), "revision": "https://hg.mozilla.org/releases/mozilla-release/rev/0d5a54c6e5b6",
			"subsessionLength": length, "sessionLength": length + w.between(0, 5000), "timezoneOffset": 60 * w.between(-8, 9),
			"subsessionCounter": w.between(1, 9), "profileSubsessionCounter": w.between(1, 900),
		},
		"simpleMeasurements": doc{
			"activeTicks": length / 6, "totalTime": length, "uptime": length / 60, "firstPaint": w.between(400, 6000),
			"main": w.between(20, 300), "sessionRestored": w.between(600, 9000), "startupInterrupted": 0,
		},
		"histograms": doc{
			"GC_MS":                w.histogram(10000, 12),
			"TIME_TO_LOAD_MS":      w.histogram(30000, 10),
			"HTTP_PAGE_OPEN_MS":    w.histogram(30000, 8),
			"MEMORY_TOTAL":         w.histogram(400000, 4),
			"CYCLE_COLLECTOR_FULL": w.histogram(2, 2),
		},
	}
}

// histogram is an exponential one of n filled buckets up to top.
func (w *world) histogram(top, n int) doc {
	values, sum := doc{}, 0
	for i := range n {
		bucket := top >> (n - i - 1)
		count := w.between(0, 60)
		values[fmt.Sprint(bucket)] = count
		sum += bucket * count
	}
	return doc{"range": []int{1, top}, "bucket_count": 50, "histogram_type": 0, "values": values, "sum": sum}
}

// eventPayload is a list of what somebody did. growth multiplies the list.
func eventPayload(w *world, growth int) doc {
	events := make([][]any, 0, growth*30)
	at := w.between(1000, 9000)
	for range growth * w.between(22, 30) {
		at += w.between(10, 4000)
		events = append(events, []any{
			at, pick(w.rng, []string{"navigation", "tabs", "search", "addons", "downloads"}),
			pick(w.rng, []string{"open", "close", "click", "enter", "hover"}), pick(w.rng, []string{"urlbar", "toolbar", "menu", "searchbar"}),
			fmt.Sprintf("item-%04d", w.between(0, 9999)), doc{"source": pick(w.rng, []string{"keyboard", "mouse", "touch"}), "pos": fmt.Sprint(w.between(1, 40))},
		})
	}
	return doc{
		"reason": pick(w.rng, []string{"periodic", "max", "shutdown"}), "sessionId": w.uuid(), "subsessionId": w.uuid(),
		"processStartTimestamp": 1_700_000_000_000 + w.between(0, 1_000_000_000), "lostEventsCount": 0,
		"events": doc{"parent": events},
	}
}

// crashPayload is a process that ended.
func crashPayload(w *world, _ int) doc {
	frames := make([]doc, w.between(4, 10))
	for i := range frames {
		frames[i] = doc{"ip": fmt.Sprintf("0x%012x", w.rng.Uint64()>>20), "module_index": w.between(0, 40), "trust": pick(w.rng, []string{"cfi", "scan", "context"})}
	}
	return doc{
		"version": 1, "crashDate": w.now.Format("2006-01-02"), "sessionId": w.uuid(), "crashId": w.uuid(), "hasCrashEnvironment": true,
		"processType": pick(w.rng, []string{"main", "content", "gpu"}),
		"metadata":    doc{"ProductName": "Firefox", "UptimeTS": fmt.Sprint(w.between(1, 90000)), "SecondsSinceLastCrash": fmt.Sprint(w.between(60, 900000))},
		"stackTraces": doc{
			"status":     "OK",
			"crash_info": doc{"type": pick(w.rng, []string{"SIGSEGV", "EXCEPTION_ACCESS_VIOLATION_READ", "OOM"}), "address": fmt.Sprintf("0x%x", w.rng.Uint32()), "crashing_thread": 0},
			"threads":    []doc{{"frames": frames}},
		},
	}
}

// cartPayload is a basket being filled.
func cartPayload(w *world, _ int) doc {
	items, total := w.basket()
	return doc{"cartId": w.uuid(), "action": pick(w.rng, []string{"add", "remove", "view"}), "currency": pick(w.rng, []string{"EUR", "USD", "GBP"}), "items": items, "total": total}
}

// checkoutPayload is a basket being paid.
func checkoutPayload(w *world, _ int) doc {
	items, total := w.basket()
	return doc{
		"cartId": w.uuid(), "orderId": fmt.Sprintf("O-%08d", w.between(0, 99_999_999)), "currency": pick(w.rng, []string{"EUR", "USD", "GBP"}),
		"items": items, "total": total, "payment": pick(w.rng, []string{"card", "invoice", "paypal"}), "success": w.rng.IntN(25) > 0, "durationMs": w.between(300, 9000),
	}
}

func (w *world) basket() (items []doc, total float64) {
	cents := 0
	for range w.between(1, 6) {
		price, n := w.between(99, 19900), w.between(1, 4)
		cents += price * n
		items = append(items, doc{"sku": fmt.Sprintf("SKU-%05d", w.between(1, 99999)), "quantity": n, "price": float64(price) / 100})
	}
	return items, float64(cents) / 100
}

// readingPayload is one report of a weather box.
func readingPayload(w *world, _ int) doc {
	return doc{
		"sensorId": fmt.Sprintf("box-%03d", w.between(1, 250)), "temperature": float64(w.between(-100, 350)) / 10,
		"humidity": w.between(20, 100), "pressure": float64(w.between(9700, 10400)) / 10, "battery": float64(w.between(200, 420)) / 100,
	}
}
