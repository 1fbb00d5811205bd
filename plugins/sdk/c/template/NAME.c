// Counts messages and their bytes, as a graph and as a text.
#include "sandbar.h"
static long long messages, bytes;
static int series;
SB_EXPORT(sandbar_init) int sandbar_init(void) {
  series = sb_buffer_new((int)sb_config("rows", 60), 2, (int)sb_config("seconds_per_row", 60));
  sb_column(series, 1, "messages", "count", "sum");
  sb_column(series, 2, "bytes", "B", "sum");
  return 0;
}
int sandbar_process(int n) {
  long long at = 0;
  sb_msg_integer(0, "Timestamp", 9, 0, 0, &at);
  double size = sb_get_number("size", 0);
  messages++;
  bytes += (long long)size;
  sb_buffer_add(series, at, 1, 1);
  sb_buffer_add(series, at, 2, size);
  return 0;
}
SB_EXPORT(sandbar_timer) void sandbar_timer(long long ns, int last) {
  sb_buffer_payload(series, 0);
  sb_send("cbuf", "messages");
  sb_add_number(messages);
  sb_add(" messages of ");
  sb_add_number(bytes);
  sb_add(" bytes\n");
  sb_send("txt", "total");
}
