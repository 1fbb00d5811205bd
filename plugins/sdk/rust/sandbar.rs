//! The interface sandbar_v1 for plugins in Rust, without a dependency. A plugin exports its functions itself:
//!
//!     #[no_mangle] pub extern "C" fn sandbar_process(_messages: i32) -> i32   // 0 is good, -1 failed, above 0 ends the plugin
//!     #[no_mangle] pub extern "C" fn sandbar_timer(ns: i64, last: i32)        // when its config has a ticker_interval
//!     #[no_mangle] pub extern "C" fn sandbar_init() -> i32                    // if it likes; anything but 0 keeps it from being loaded
//!     #[no_mangle] pub extern "C" fn sandbar_save() -> i32                    // and sandbar_load(n: i32) -> i32: see write_state
//!
//! A name of what is read is as in Lua's read_message: Type, Logger, Hostname, EnvVersion, Payload, Uuid, Timestamp, Severity, Pid, raw,
//! framed, size, Fields[name].
#![allow(dead_code)]

/// What the host offers, as it is.
pub mod host {
    #[link(wasm_import_module = "sandbar_v1")]
    extern "C" {
        pub fn msg_text(msg: i32, name: *const u8, n: usize, field: i32, value: i32, to: *mut u8, room: usize) -> i32;
        pub fn msg_number(msg: i32, name: *const u8, n: usize, field: i32, value: i32, to: *mut f64) -> i32;
        pub fn msg_integer(msg: i32, name: *const u8, n: usize, field: i32, value: i32, to: *mut i64) -> i32;
        pub fn msg_type(msg: i32, name: *const u8, n: usize, field: i32) -> i32;
        pub fn msg_count(msg: i32, name: *const u8, n: usize, field: i32) -> i32;
        pub fn inject_new();
        pub fn inject_header(header: i32, text: *const u8, n: usize);
        pub fn inject_number(header: i32, value: i64);
        pub fn inject_field(name: *const u8, n: usize, repr: *const u8, rn: usize, kind: i32, values: *const u8, count: usize);
        pub fn inject_send();
        pub fn inject_raw(message: *const u8, n: usize);
        pub fn payload_add(text: *const u8, n: usize);
        pub fn payload_send(kind: *const u8, kn: usize, name: *const u8, n: usize);
        pub fn buffer_new(rows: i32, columns: i32, seconds_per_row: i32) -> i32;
        pub fn buffer_header(buffer: i32, column: i32, name: *const u8, n: usize, unit: *const u8, un: usize, aggregation: *const u8, an: usize);
        pub fn buffer_add(buffer: i32, ns: i64, column: i32, value: f64) -> i32;
        pub fn buffer_set(buffer: i32, ns: i64, column: i32, value: f64) -> i32;
        pub fn buffer_get(buffer: i32, ns: i64, column: i32) -> f64;
        pub fn buffer_annotate(buffer: i32, ns: i64, column: i32, alert: i32, text: *const u8, n: usize);
        pub fn buffer_payload(buffer: i32, delta: i32);
        pub fn alert_send(id: *const u8, idn: usize, summary: *const u8, sn: usize, detail: *const u8, dn: usize, minutes: f64) -> i32;
        pub fn alert_over(id: *const u8, idn: usize, detail: *const u8, dn: usize) -> i32;
        pub fn alert_label(name: *const u8, n: usize, value: *const u8, vn: usize);
        pub fn alert_note(id: *const u8, n: usize);
        pub fn alert_throttled(id: *const u8, n: usize, minutes: f64) -> i32;
        pub fn alert_threshold(id: *const u8, n: usize) -> f64;
        pub fn anomaly_look(method: *const u8, n: usize, values: *const f64, count: usize, at: usize, step: i64, to: *mut f64) -> i32;
        pub fn anomaly_buffer(method: *const u8, n: usize, buffer: i32, column: i32, ns: i64, to: *mut f64) -> i32;
        pub fn anomaly_compare(what: *const u8, n: usize, a: *const f64, an: usize, b: *const f64, bn: usize, q: f64, to: *mut f64);
        pub fn anomaly_categories(now: *const f64, then: *const f64, count: usize, p: f64, to: *mut i8);
        pub fn anomaly_decompose(values: *const f64, count: usize, periods: *const i32, k: usize, to: *mut f64);
        pub fn config_text(key: *const u8, n: usize, to: *mut u8, room: usize) -> i32;
        pub fn config_number(key: *const u8, n: usize, to: *mut f64) -> i32;
        pub fn print(line: *const u8, n: usize);
        pub fn status_text(text: *const u8, n: usize);
        pub fn now() -> i64;
        pub fn random() -> i64;
        pub fn fuel_left() -> i64;
        pub fn geo(address: *const u8, n: usize, part: i32, to: *mut u8, room: usize) -> i32;
        pub fn schema_validate(ns: *const u8, nn: usize, kind: *const u8, kn: usize, version: *const u8, vn: usize, json: *const u8, n: usize, why: *mut u8, room: usize) -> i32;
        pub fn lake_heka(path: *const u8, n: usize);
        pub fn lake_parquet(path: *const u8, n: usize, fields: *const u8, fln: usize, payload: *const u8, pn: usize, schema: *const u8, sn: usize);
        pub fn checkpoint(sequence: i64);
        pub fn state_read(offset: usize, to: *mut u8, room: usize) -> i32;
        pub fn state_write(from: *const u8, n: usize);
    }
}

/// The mark of the interface.
#[no_mangle]
pub extern "C" fn sandbar_v1() {}

fn read(get: impl Fn(*mut u8, usize) -> i32) -> Option<Vec<u8>> {
    let mut b = Vec::with_capacity(256);
    loop {
        let n = get(b.as_mut_ptr(), b.capacity());
        if n < 0 {
            return None;
        }
        if n as usize <= b.capacity() {
            unsafe { b.set_len(n as usize) };
            return Some(b);
        }
        b.reserve(n as usize);
    }
}

/// One of several fields of a name, and of its values, from 0.
pub fn bytes_at(name: &str, field: i32, value: i32) -> Option<Vec<u8>> {
    read(|to, room| unsafe { host::msg_text(0, name.as_ptr(), name.len(), field, value, to, room) })
}

/// A text or bytes of the message.
pub fn bytes(name: &str) -> Option<Vec<u8>> {
    bytes_at(name, 0, 0)
}

/// A text of the message; what is no UTF-8 is replaced.
pub fn text(name: &str) -> Option<String> {
    bytes(name).map(|b| String::from_utf8_lossy(&b).into_owned())
}

/// An integer, double or boolean of the message.
pub fn number_at(name: &str, field: i32, value: i32) -> Option<f64> {
    let mut x = 0.0;
    (unsafe { host::msg_number(0, name.as_ptr(), name.len(), field, value, &mut x) } != 0).then_some(x)
}

/// An integer, double or boolean of the message.
pub fn number(name: &str) -> Option<f64> {
    number_at(name, 0, 0)
}

/// An integer, exactly.
pub fn integer(name: &str) -> Option<i64> {
    let mut n = 0;
    (unsafe { host::msg_integer(0, name.as_ptr(), name.len(), 0, 0, &mut n) } != 0).then_some(n)
}

pub const TYPE: i32 = 0;
pub const LOGGER: i32 = 1;
pub const HOSTNAME: i32 = 2;
pub const ENV_VERSION: i32 = 3;
pub const PAYLOAD: i32 = 4;
pub const UUID: i32 = 5;
pub const TIMESTAMP: i32 = 6;
pub const SEVERITY: i32 = 7;
pub const PID: i32 = 8;

/// A message that is being made; there is one at a time. Logger, Hostname, UUID, Timestamp and Pid are the host's unless the config
/// says restricted_headers = false.
pub struct Out;

impl Out {
    pub fn new(message_type: &str) -> Out {
        unsafe { host::inject_new() };
        Out.header(TYPE, message_type)
    }
    pub fn header(self, header: i32, text: &str) -> Out {
        unsafe { host::inject_header(header, text.as_ptr(), text.len()) };
        self
    }
    /// Timestamp, Severity or Pid.
    pub fn header_number(self, header: i32, n: i64) -> Out {
        unsafe { host::inject_number(header, n) };
        self
    }
    pub fn strings(self, name: &str, values: &[&str]) -> Out {
        let list: Vec<(*const u8, usize)> = values.iter().map(|v| (v.as_ptr(), v.len())).collect();
        self.pairs(name, "", 0, &list)
    }
    pub fn bytes(self, name: &str, representation: &str, values: &[&[u8]]) -> Out {
        let list: Vec<(*const u8, usize)> = values.iter().map(|v| (v.as_ptr(), v.len())).collect();
        self.pairs(name, representation, 1, &list)
    }
    pub fn integers(self, name: &str, representation: &str, values: &[i64]) -> Out {
        self.field(name, representation, 2, values.as_ptr() as *const u8, values.len())
    }
    pub fn doubles(self, name: &str, representation: &str, values: &[f64]) -> Out {
        self.field(name, representation, 3, values.as_ptr() as *const u8, values.len())
    }
    pub fn bools(self, name: &str, values: &[bool]) -> Out {
        self.field(name, "", 4, values.as_ptr() as *const u8, values.len())
    }
    fn pairs(self, name: &str, repr: &str, kind: i32, list: &[(*const u8, usize)]) -> Out {
        // A tuple has no fixed layout; the host wants address and length.
        let flat: Vec<u32> = list.iter().flat_map(|(at, n)| [*at as u32, *n as u32]).collect();
        self.field(name, repr, kind, flat.as_ptr() as *const u8, list.len())
    }
    fn field(self, name: &str, repr: &str, kind: i32, values: *const u8, n: usize) -> Out {
        unsafe { host::inject_field(name.as_ptr(), name.len(), repr.as_ptr(), repr.len(), kind, values, n) };
        self
    }
    pub fn send(self) {
        unsafe { host::inject_send() }
    }
}

/// Adds to the payload that send_payload sends.
pub fn add(text: &str) {
    unsafe { host::payload_add(text.as_ptr(), text.len()) }
}

/// Sends what was added, as a message of its own: type "txt", "json", "cbuf", ... and a name.
pub fn send_payload(kind: &str, name: &str) {
    unsafe { host::payload_send(kind.as_ptr(), kind.len(), name.as_ptr(), name.len()) }
}

/// A circular buffer: rows of equal spans of time, columns from 1. Make it in sandbar_init.
#[derive(Clone, Copy)]
pub struct Buffer(pub i32);

impl Buffer {
    pub fn new(rows: i32, columns: i32, seconds_per_row: i32) -> Buffer {
        Buffer(unsafe { host::buffer_new(rows, columns, seconds_per_row) })
    }
    /// Names a column: a unit, and how it is added up (sum, min, max, none).
    pub fn column(self, column: i32, name: &str, unit: &str, aggregation: &str) -> Buffer {
        unsafe { host::buffer_header(self.0, column, name.as_ptr(), name.len(), unit.as_ptr(), unit.len(), aggregation.as_ptr(), aggregation.len()) };
        self
    }
    /// Adds to the cell of a time, nanoseconds since the epoch; false when that is before the oldest row.
    pub fn add(self, ns: i64, column: i32, value: f64) -> bool {
        unsafe { host::buffer_add(self.0, ns, column, value) != 0 }
    }
    pub fn set(self, ns: i64, column: i32, value: f64) -> bool {
        unsafe { host::buffer_set(self.0, ns, column, value) != 0 }
    }
    /// NaN where nothing is.
    pub fn get(self, ns: i64, column: i32) -> f64 {
        unsafe { host::buffer_get(self.0, ns, column) }
    }
    /// What a method of docs/anomaly.md ("seasonal", "ewma far=5") says of the row of a time; below 0 the newest that is complete.
    pub fn anomaly(self, method: &str, column: i32, ns: i64) -> Option<Verdict> {
        let mut v = Verdict::default();
        let there = unsafe { host::anomaly_buffer(method.as_ptr(), method.len(), self.0, column, ns, &mut v as *mut Verdict as *mut f64) };
        (there >= 0).then_some(v)
    }
    pub fn annotate(self, ns: i64, column: i32, alert: bool, text: &str) {
        unsafe { host::buffer_annotate(self.0, ns, column, alert as i32, text.as_ptr(), text.len()) }
    }
    /// Adds the buffer to the payload, for send_payload("cbuf", name).
    pub fn add_to_payload(self) {
        unsafe { host::buffer_payload(self.0, 0) }
    }
}

/// What a detector says of a value: from a score of 1 on it is unusual.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict {
    pub score: f64,
    pub direction: f64,
    pub expected: f64,
    pub low: f64,
    pub high: f64,
}

/// What a method of docs/anomaly.md says of one of values a step of seconds apart.
pub fn anomaly(method: &str, values: &[f64], at: usize, step: i64) -> Verdict {
    let mut v = Verdict::default();
    unsafe { host::anomaly_look(method.as_ptr(), method.len(), values.as_ptr(), values.len(), at, step, &mut v as *mut Verdict as *mut f64) };
    v
}

/// Compares two samples or histograms: "rank_sum", "pearson", "earth_mover", "chi_square" or "quantile_shift".
pub fn compare(what: &str, a: &[f64], b: &[f64], q: f64) -> [f64; 3] {
    let mut to = [f64::NAN; 3];
    unsafe { host::anomaly_compare(what.as_ptr(), what.len(), a.as_ptr(), a.len(), b.as_ptr(), b.len(), q, to.as_mut_ptr()) };
    to
}

/// Sends an alert, at most one of an id in the time that the config says.
pub fn alert(id: &str, summary: &str, detail: &str) -> bool {
    unsafe { host::alert_send(id.as_ptr(), id.len(), summary.as_ptr(), summary.len(), detail.as_ptr(), detail.len(), -1.0) != 0 }
}

/// Says that what alerts of an id were about is as usual again, if one was sent.
pub fn alert_over(id: &str, detail: &str) -> bool {
    unsafe { host::alert_over(id.as_ptr(), id.len(), detail.as_ptr(), detail.len()) != 0 }
}

/// Gives the next alert a label, by which routes choose and group.
pub fn alert_label(name: &str, value: &str) {
    unsafe { host::alert_label(name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
}

/// Says that the message at hand is evidence for alerts of the id: it is kept with the next one.
pub fn alert_note(id: &str) {
    unsafe { host::alert_note(id.as_ptr(), id.len()) }
}

/// A text of the config; of a table with a dot: "alert.throttle".
pub fn config(key: &str) -> Option<String> {
    read(|to, room| unsafe { host::config_text(key.as_ptr(), key.len(), to, room) }).map(|b| String::from_utf8_lossy(&b).into_owned())
}

/// A number or a flag (1 or 0) of the config.
pub fn config_number(key: &str) -> Option<f64> {
    let mut x = 0.0;
    (unsafe { host::config_number(key.as_ptr(), key.len(), &mut x) } != 0).then_some(x)
}

/// Writes a line to the plugin's log.
pub fn print(line: &str) {
    unsafe { host::print(line.as_ptr(), line.len()) }
}

/// Says why sandbar_process will not return 0.
pub fn status(text: &str) {
    unsafe { host::status_text(text.as_ptr(), text.len()) }
}

/// For sandbar_save: what is written is kept instead of an image of the memory, and also over a change of the plugin's code.
pub fn write_state(b: &[u8]) {
    unsafe { host::state_write(b.as_ptr(), b.len()) }
}

/// For sandbar_load, which is called with the number of bytes that there are.
pub fn read_state(n: i32) -> Vec<u8> {
    let mut b = vec![0; n as usize];
    let got = unsafe { host::state_read(0, b.as_mut_ptr(), b.len()) };
    b.truncate(got as usize);
    b
}
