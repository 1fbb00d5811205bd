// The interface sandbar_v1 for C, as one header. It needs no library: clang and wasm-ld from any distribution do.
//
//	clang --target=wasm32 -O2 -nostdlib -fno-builtin -Wl,--no-entry -o NAME.wasm NAME.c
//
// A plugin defines
//
//	int sandbar_process(int messages);           // 0 is good, -1 failed, above 0 ends the plugin
//	void sandbar_timer(long long ns, int last);  // if its config has a ticker_interval
//	int sandbar_init(void);                      // if it likes; anything but 0 keeps it from being loaded
//	int sandbar_save(void), sandbar_load(int n); // if it likes; see docs/wasm.md
//
// Messages are named by handles from 0 to messages-1; there is one, unless the config has a batch. Names of what is read are as in read_message of Lua: Type, Logger,
// Hostname, EnvVersion, Payload, Uuid, Timestamp, Severity, Pid, raw, framed, size, Fields[name]. docs/wasm.md has the rest.
#ifndef SANDBAR_H
#define SANDBAR_H

typedef __SIZE_TYPE__ sb_size;

#define SB_IMPORT(name) __attribute__((import_module("sandbar_v1"), import_name(#name)))
#define SB_EXPORT(name) __attribute__((export_name(#name)))

// Functions of the host. Texts are an address and a length.
SB_IMPORT(msg_text) int sb_msg_text(int msg, const char *name, sb_size n, int field, int value, void *to, sb_size room);
SB_IMPORT(msg_number) int sb_msg_number(int msg, const char *name, sb_size n, int field, int value, double *to);
SB_IMPORT(msg_integer) int sb_msg_integer(int msg, const char *name, sb_size n, int field, int value, long long *to);
SB_IMPORT(msg_type) int sb_msg_type(int msg, const char *name, sb_size n, int field);
SB_IMPORT(msg_count) int sb_msg_count(int msg, const char *name, sb_size n, int field);
SB_IMPORT(inject_new) void sb_inject_new(void);
SB_IMPORT(inject_header) void sb_inject_header(int header, const void *text, sb_size n);
SB_IMPORT(inject_number) void sb_inject_number(int header, long long value);
SB_IMPORT(inject_field) void sb_inject_field(const char *name, sb_size n, const char *repr, sb_size rn, int type, const void *values, sb_size count);
SB_IMPORT(inject_send) void sb_inject_send(void);
SB_IMPORT(inject_raw) void sb_inject_raw(const void *message, sb_size n);
SB_IMPORT(payload_add) void sb_payload_add(const void *text, sb_size n);
SB_IMPORT(payload_send) void sb_payload_send(const char *type, sb_size tn, const char *name, sb_size n);
SB_IMPORT(buffer_new) int sb_buffer_new(int rows, int columns, int seconds_per_row);
SB_IMPORT(buffer_header) void sb_buffer_header(int buffer, int column, const char *name, sb_size n, const char *unit, sb_size un, const char *aggregation, sb_size an);
SB_IMPORT(buffer_add) int sb_buffer_add(int buffer, long long ns, int column, double value);
SB_IMPORT(buffer_set) int sb_buffer_set(int buffer, long long ns, int column, double value);
SB_IMPORT(buffer_get) double sb_buffer_get(int buffer, long long ns, int column);
SB_IMPORT(buffer_annotate) void sb_buffer_annotate(int buffer, long long ns, int column, int alert, const char *text, sb_size n);
SB_IMPORT(buffer_payload) void sb_buffer_payload(int buffer, int delta);
SB_IMPORT(alert_send) int sb_alert_send(const char *id, sb_size in, const char *summary, sb_size sn, const char *detail, sb_size dn, double minutes);
SB_IMPORT(alert_over) int sb_alert_over(const char *id, sb_size in, const char *detail, sb_size dn);
SB_IMPORT(alert_label) void sb_alert_label(const char *name, sb_size n, const char *value, sb_size vn);
SB_IMPORT(alert_note) void sb_alert_note(const char *id, sb_size n);
SB_IMPORT(alert_throttled) int sb_alert_throttled(const char *id, sb_size n, double minutes);
SB_IMPORT(alert_threshold) double sb_alert_threshold(const char *id, sb_size n);
SB_IMPORT(anomaly_look) int sb_anomaly_look(const char *method, sb_size n, const double *values, sb_size count, sb_size at, long long step, double verdict[5]);
SB_IMPORT(anomaly_buffer) int sb_anomaly_buffer(const char *method, sb_size n, int buffer, int column, long long ns, double verdict[5]);
SB_IMPORT(anomaly_compare) void sb_anomaly_compare(const char *what, sb_size n, const double *a, sb_size an, const double *b, sb_size bn, double q, double to[3]);
SB_IMPORT(anomaly_categories) void sb_anomaly_categories(const double *now, const double *then, sb_size count, double p, signed char *to);
SB_IMPORT(anomaly_decompose) void sb_anomaly_decompose(const double *values, sb_size count, const int *periods, sb_size k, double *to);
SB_IMPORT(config_text) int sb_config_text(const char *key, sb_size n, void *to, sb_size room);
SB_IMPORT(config_number) int sb_config_number(const char *key, sb_size n, double *to);
SB_IMPORT(print) void sb_print(const void *line, sb_size n);
SB_IMPORT(status_text) void sb_status_text(const void *text, sb_size n);
SB_IMPORT(now) long long sb_now(void);
SB_IMPORT(random) unsigned long long sb_random(void);
SB_IMPORT(fuel_left) long long sb_fuel_left(void);
SB_IMPORT(geo) int sb_geo(const char *address, sb_size n, int part, void *to, sb_size room);
SB_IMPORT(schema_validate) int sb_schema_validate(const char *ns, sb_size nn, const char *type, sb_size tn, const char *version, sb_size vn, const void *json, sb_size n, void *why, sb_size room);
SB_IMPORT(lake_heka) void sb_lake_heka(const char *path, sb_size n);
SB_IMPORT(lake_parquet) void sb_lake_parquet(const char *path, sb_size n, const char *fields, sb_size fn, const char *payload, sb_size pn, const char *schema, sb_size sn);
SB_IMPORT(checkpoint) void sb_checkpoint(long long sequence);
SB_IMPORT(state_read) int sb_state_read(sb_size offset, void *to, sb_size room);
SB_IMPORT(state_write) void sb_state_write(const void *from, sb_size n);

enum { SB_TYPE, SB_LOGGER, SB_HOSTNAME, SB_ENV_VERSION, SB_PAYLOAD, SB_UUID, SB_TIMESTAMP, SB_SEVERITY, SB_PID };   // headers
enum { SB_STRING, SB_BYTES, SB_INTEGER, SB_DOUBLE, SB_BOOL };                                                       // types of fields
typedef struct { const void *at; sb_size size; } sb_text;                                                           // a value of a field

// What most plugins need, with texts that end in a zero byte.
static inline sb_size sb_len(const char *s) { sb_size n = 0; while (s[n]) n++; return n; }

// sb_get copies a text, ends it with a zero byte, and returns its length; -1 when it is not there.
static inline int sb_get(const char *name, char *to, sb_size room) {
  int n = sb_msg_text(0, name, sb_len(name), 0, 0, to, room - 1);
  to[n < 0 ? 0 : (sb_size)n < room ? (sb_size)n : room - 1] = 0;
  return n;
}
static inline double sb_get_number(const char *name, double otherwise) {
  double x;
  return sb_msg_number(0, name, sb_len(name), 0, 0, &x) ? x : otherwise;
}
static inline double sb_config(const char *key, double otherwise) {
  double x;
  return sb_config_number(key, sb_len(key), &x) ? x : otherwise;
}
static inline void sb_add(const char *text) { sb_payload_add(text, sb_len(text)); }
static inline void sb_send(const char *type, const char *name) { sb_payload_send(type, sb_len(type), name, sb_len(name)); }
static inline void sb_column(int buffer, int column, const char *name, const char *unit, const char *aggregation) {
  sb_buffer_header(buffer, column, name, sb_len(name), unit, sb_len(unit), aggregation, sb_len(aggregation));
}
static inline int sb_alert(const char *id, const char *summary, const char *detail) {
  return sb_alert_send(id, sb_len(id), summary, sb_len(summary), detail, sb_len(detail), -1);
}
static inline void sb_say(const char *line) { sb_print(line, sb_len(line)); }

// sb_add_number adds a number to the payload, with up to six digits behind the point.
static inline void sb_add_number(double x) {
  char text[40], *at = text + sizeof text;
  if (x != x) { sb_add("nan"); return; }
  int negative = x < 0;
  if (negative) x = -x;
  if (x >= 9e12) { sb_add(negative ? "-inf" : "inf"); return; } // more than this has no use in a counter
  unsigned long long n = (unsigned long long)(x * 1e6 + 0.5), whole = n / 1000000, part = n % 1000000;
  int digits = part ? 6 : 0;
  while (digits && part % 10 == 0) part /= 10, digits--;
  if (digits) {
    for (int i = 0; i < digits; i++, part /= 10) *--at = '0' + part % 10;
    *--at = '.';
  }
  do *--at = '0' + whole % 10; while (whole /= 10);
  if (negative) *--at = '-';
  sb_payload_add(at, text + sizeof text - at);
}

// The mark of the interface.
SB_EXPORT(sandbar_v1) void sandbar_v1(void) {}

SB_EXPORT(sandbar_process) int sandbar_process(int messages);

#endif
