// The subject of package sandboxtest in C; what it does is said there.
#include "sandbar.h"

#define LEN(s) (sizeof(s) - 1)

static char what[32], pad[1 << 16];
static int n, size, count, buffer;

static int is(const char *name) {
  int i = 0;
  while (what[i] && what[i] == name[i]) i++;
  return what[i] == name[i];
}

static volatile int spinning;
static void spin(void) { for (;;) spinning++; }

SB_EXPORT(sandbar_init) int sandbar_init(void) {
  sb_config_text("what", 4, what, sizeof what - 1);
  n = (int)sb_config("n", 0);
  size = (int)sb_config("size", 0);
  for (int i = 0; i < size; i++) pad[i] = 'x';
  if (is("buffer")) {
    buffer = sb_buffer_new(3, 2, 60);
    sb_column(buffer, 1, "one", "count", "sum");
  }
  if (is("load")) spin();
  return 0;
}

static void header(int h, const char *text) { sb_inject_header(h, text, sb_len(text)); }

static void inject(void) {
  for (int i = 0; i < n; i++) {
    sb_inject_new();
    header(SB_TYPE, "made");
    sb_inject_header(SB_PAYLOAD, pad, size);
    sb_inject_send();
  }
}

static void grow(void) {
  for (;;) {
    int page = __builtin_wasm_memory_grow(0, 1);
    for (int i = 0; i < 65536; i += 4096) ((volatile char *)(page * 65536))[i] = 1;
  }
}

static void headers(void) {
  sb_inject_new();
  header(SB_TYPE, "made");
  header(SB_UUID, "0123456789abcdef");
  header(SB_LOGGER, "other");
  header(SB_HOSTNAME, "other");
  header(SB_ENV_VERSION, "e");
  sb_inject_number(SB_TIMESTAMP, 5);
  sb_inject_number(SB_PID, 1);
  sb_inject_number(SB_SEVERITY, 3);
  sb_inject_send();
}

static void fields(void) {
  sb_text s[] = {{"a", 1}, {"b", 1}}, b[] = {{"\xff", 1}};
  long long i[] = {1, -2};
  double d[] = {0.5};
  char t[] = {1, 0};
  sb_inject_new();
  header(SB_TYPE, "made");
  sb_inject_field("s", 1, "", 0, SB_STRING, s, 2);
  sb_inject_field("b", 1, "json", 4, SB_BYTES, b, 1);
  sb_inject_field("i", 1, "", 0, SB_INTEGER, i, 2);
  sb_inject_field("d", 1, "", 0, SB_DOUBLE, d, 1);
  sb_inject_field("t", 1, "", 0, SB_BOOL, t, 2);
  sb_inject_send();
}

static void text(const char *name, int field, int value) {
  char got[100];
  int k = sb_msg_text(0, name, sb_len(name), field, value, got, sizeof got);
  if (k > 0) sb_payload_add(got, k);
  sb_add("|");
}

static void num(const char *name, int value, double scale) {
  double x = 0;
  sb_msg_number(0, name, sb_len(name), 0, value, &x);
  sb_add_number(x / scale);
  sb_add("|");
}

static void reading(void) {
  text("Type", 0, 0), text("Logger", 0, 0), text("Hostname", 0, 0), text("Payload", 0, 0);
  num("Pid", 0, 1), num("Timestamp", 0, 1e9), num("Severity", 0, 1), num("size", 0, 1);
  text("Fields[text]", 0, 0), text("Fields[text]", 0, 1), text("Fields[text]", 1, 0);
  num("Fields[whole]", 1, 1), num("Fields[real]", 0, 1), num("Fields[flag]", 0, 1);
  text("Fields[odd.name-[x]]", 0, 0), text("EnvVersion", 0, 0);
  char none[1];
  if (sb_msg_text(0, "Fields[none]", LEN("Fields[none]"), 0, 0, none, 1) != -1) __builtin_trap();
  sb_send("txt", "read");
}

static void alerts(void) {
  sb_alert("x", "short", "long");
  sb_alert("x", "short", "long");
  sb_alert_send("y", 1, "short", 5, "long", 4, 0);
}

static void config(void) {
  char got[100];
  int k = sb_config_text("text", 4, got, sizeof got);
  sb_payload_add(got, k);
  sb_add("|");
  sb_add_number(sb_config("number", 0));
  sb_add("|");
  sb_add_number(sb_config("flag", 0));
  sb_send("txt", "c");
}

int sandbar_process(int messages) {
  if (is("status")) {
    sb_status_text("why", 3);
    return n;
  }
  if (is("spin")) spin();
  if (is("grow")) grow();
  if (is("raise")) __builtin_trap();
  if (is("inject")) inject();
  if (is("headers")) headers();
  if (is("fields")) fields();
  if (is("read")) reading();
  if (is("payload")) {
    for (int i = 0; i < n; i++) sb_payload_add(pad, size);
    sb_send("txt", "p");
  }
  if (is("print")) for (int i = 0; i < n; i++) sb_say("line");
  if (is("alert")) alerts();
  if (is("buffer")) {
    sb_buffer_add(buffer, 600000000000, 1, n);
    sb_buffer_payload(buffer, 0);
    sb_send("cbuf", "g");
  }
  if (is("config")) config();
  if (is("count")) count++;
  return 0;
}

SB_EXPORT(sandbar_timer) void sandbar_timer(long long ns, int last) {
  if (is("count")) {
    sb_add_number(count);
    sb_send("txt", "count");
  }
  if (is("inject")) inject();
  if (is("spin")) spin();
}
