//! Counts messages and their bytes, as a graph and as a text.
mod sandbar;

use sandbar::Buffer;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering::Relaxed};

static MESSAGES: AtomicI64 = AtomicI64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);
static SERIES: AtomicI32 = AtomicI32::new(0);

fn series() -> Buffer {
    Buffer(SERIES.load(Relaxed))
}

#[no_mangle]
pub extern "C" fn sandbar_init() -> i32 {
    let number = |key, otherwise| sandbar::config_number(key).unwrap_or(otherwise) as i32;
    let b = Buffer::new(number("rows", 60.0), 2, number("seconds_per_row", 60.0)).column(1, "messages", "count", "sum").column(2, "bytes", "B", "sum");
    SERIES.store(b.0, Relaxed);
    0
}

#[no_mangle]
pub extern "C" fn sandbar_process(_messages: i32) -> i32 {
    let at = sandbar::integer("Timestamp").unwrap_or(0);
    let size = sandbar::integer("size").unwrap_or(0);
    MESSAGES.fetch_add(1, Relaxed);
    BYTES.fetch_add(size, Relaxed);
    series().add(at, 1, 1.0);
    series().add(at, 2, size as f64);
    0
}

#[no_mangle]
pub extern "C" fn sandbar_timer(_ns: i64, _last: i32) {
    series().add_to_payload();
    sandbar::send_payload("cbuf", "messages");
    sandbar::add(&format!("{} messages of {} bytes\n", MESSAGES.load(Relaxed), BYTES.load(Relaxed)));
    sandbar::send_payload("txt", "total");
}
