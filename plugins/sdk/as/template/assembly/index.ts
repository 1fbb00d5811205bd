// Counts messages and their bytes, as a graph and as a text.
import * as sandbar from "./sandbar";

export { sandbar_v1 } from "./sandbar";

let messages: i64 = 0;
let bytes: i64 = 0;
const series = new sandbar.Buffer(<i32>sandbar.configNumber("rows", 60), 2, <i32>sandbar.configNumber("seconds_per_row", 60))
  .column(1, "messages", "count", "sum")
  .column(2, "bytes", "B", "sum");

export function sandbar_process(count: i32): i32 {
  const at = sandbar.integer("Timestamp");
  const size = sandbar.integer("size");
  messages++;
  bytes += size;
  series.add(at, 1, 1);
  series.add(at, 2, <f64>size);
  return 0;
}

export function sandbar_timer(ns: i64, last: i32): void {
  series.addToPayload();
  sandbar.sendPayload("cbuf", "messages");
  sandbar.add(messages.toString() + " messages of " + bytes.toString() + " bytes\n");
  sandbar.sendPayload("txt", "total");
}
