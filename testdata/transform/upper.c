// A data transform for Redpanda's interface: it writes each value in capitals. "drop" is dropped, "spin" loops, "trap" traps, and
// "!text" goes to the topic "loud".
#define IMPORT(name) __attribute__((import_module("redpanda_transform"), import_name(#name)))
typedef unsigned char u8;

IMPORT(check_abi_version_2) void check_abi_version_2(void);
IMPORT(read_batch_header) int read_batch_header(long long *base_offset, int *records, int *epoch, short *attributes, int *last_delta, long long *base_time,
  long long *max_time, long long *producer, short *producer_epoch, int *sequence);
IMPORT(read_next_record) int read_next_record(u8 *attributes, long long *time, long long *offset, u8 *buffer, int room);
IMPORT(write_record) int write_record(const u8 *record, int n);
IMPORT(write_record_with_options) int write_record_with_options(const u8 *record, int n, const u8 *options, int on);

static u8 in[1 << 16];
static volatile int spinning;

// varint reads a zigzag number.
static long long varint(const u8 **at) {
  unsigned long long n = 0;
  for (int shift = 0;; shift += 7) {
    u8 c = *(*at)++;
    n |= (unsigned long long)(c & 127) << shift;
    if (c < 128) return (long long)(n >> 1) ^ -(long long)(n & 1);
  }
}

static int is(const u8 *s, long long n, const char *what) {
  long long i = 0;
  while (i < n && what[i] && s[i] == (u8)what[i]) i++;
  return i == n && !what[i];
}

__attribute__((export_name("_start"))) void start(void) {
  check_abi_version_2();
  for (;;) {
    long long base, base_time, max_time, producer;
    int records, epoch, last_delta, sequence;
    short attributes, producer_epoch;
    int room = read_batch_header(&base, &records, &epoch, &attributes, &last_delta, &base_time, &max_time, &producer, &producer_epoch, &sequence);
    if (room < 0) __builtin_trap();
    for (int i = 0; i < records; i++) {
      u8 attribute;
      long long time, offset;
      int n = read_next_record(&attribute, &time, &offset, in, sizeof in);
      if (n < 0) __builtin_trap();
      const u8 *at = in;
      long long key = varint(&at);
      if (key > 0) at += key;
      long long size = varint(&at);
      if (is(at, size, "drop")) continue;
      if (is(at, size, "trap")) __builtin_trap();
      while (is(at, size, "spin")) spinning++;
      int loud = size > 0 && *at == '!';
      for (long long k = 0; k < size; k++)
        if (at[k] >= 'a' && at[k] <= 'z') ((u8 *)at)[k] -= 32;
      static const u8 topic[] = {1, 8, 'l', 'o', 'u', 'd'};
      if ((loud ? write_record_with_options(in, n, topic, sizeof topic) : write_record(in, n)) != n) __builtin_trap();
    }
  }
}
