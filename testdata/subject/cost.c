// Loops of several kinds, to see what metering costs.
#include "sandbar.h"

typedef unsigned int u32;
typedef unsigned char u8;

static u8 text[1 << 16];
static u32 table[1 << 20];

SB_EXPORT(sandbar_init) int sandbar_init(void) {
  static const char piece[] = "{\"name\": \"some text \\\"quoted\\\"\", \"list\": [1, 2.5, -3e4, true, null], \"deep\": {\"x\": \"yyyyyyyyyyyyyyyyyyyyyyy\"}}, ";
  for (u32 i = 0; i < sizeof text; i++) text[i] = piece[i % (sizeof piece - 1)];
  u32 r = 12345;
  for (u32 i = 0; i < 1 << 20; i++) table[i] = i;
  for (u32 i = (1 << 20) - 1; i > 0; i--) {
    r = r * 1664525 + 1013904223;
    u32 j = (u32)(((unsigned long long)r * i) >> 32), t = table[i];
    table[i] = table[j];
    table[j] = t;
  }
  return 0;
}

int sandbar_process(int n) { return 0; }

SB_EXPORT(add) u32 add(u32 n) {
  u32 a = 1;
  for (u32 i = 0; i < n; i++) a = a * 1664525 + 1013904223;
  return a;
}

SB_EXPORT(bytes) u32 bytes(u32 n) {
  u32 a = 0;
  for (u32 i = 0; i < n; i++) a = (a ^ text[i & 65535]) * 16777619;
  return a;
}

SB_EXPORT(sieve) u32 sieve(u32 n) {
  u8 *is = (u8 *)table;
  u32 count = 0;
  for (u32 i = 0; i < n; i++) is[i] = 1;
  for (u32 i = 2; i < n; i++) {
    if (!is[i]) continue;
    count++;
    for (u32 j = 2 * i; j < n; j += i) is[j] = 0;
  }
  return count;
}

SB_EXPORT(fib) u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

SB_EXPORT(chase) u32 chase(u32 n) {
  u32 p = 0;
  while (n--) p = table[p];
  return p;
}

// json is a parser by recursive descent that counts what it passes.
static u32 at, end, seen;
static void value(void);
static void space(void) { while (at < end && (text[at] == ' ' || text[at] == ',' || text[at] == ':')) at++; }
static void string(void) {
  for (at++; at < end && text[at] != '"'; at++) if (text[at] == '\\') at++;
  at++, seen++;
}
static void value(void) {
  space();
  if (at >= end) return;
  u8 c = text[at];
  if (c == '"') { string(); return; }
  if (c == '{' || c == '[') {
    for (at++, space(); at < end && text[at] != '}' && text[at] != ']'; space()) value();
    at++, seen++;
    return;
  }
  double x = 0;
  while (at < end && text[at] != ',' && text[at] != '}' && text[at] != ']') {
    if (text[at] >= '0' && text[at] <= '9') x = x * 10 + (text[at] - '0');
    at++;
  }
  seen += x > 1;
}
SB_EXPORT(json) u32 json(u32 n) {
  at = seen = 0, end = n;
  while (at < end) value();
  return seen;
}
