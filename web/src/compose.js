// Columns of several circular buffers as one.

const POINTS = 4000; // rows at most, however fine and however long the buffers are

// compose takes parts {data, column, label}: a buffer, and the name of its column. It returns a buffer whose columns are those, in rows as long as the
// shortest of any, or longer where there would be too many: then a value is the mean of several. Columns that are not there are left out.
export function compose(parts) {
  const found = parts.map((p) => ({ ...p, i: p.data ? p.data.info.findIndex((c) => c.name === p.column) : -1 })).filter((p) => p.i >= 0 && p.data.values.length > 0);
  if (!found.length) return null;
  const begin = Math.min(...found.map((p) => p.data.time));
  const end = Math.max(...found.map((p) => p.data.time + p.data.values.length * p.data.seconds_per_row));
  const step = Math.max(Math.min(...found.map((p) => p.data.seconds_per_row)), Math.ceil((end - begin) / POINTS));
  const rows = Math.max(1, Math.ceil((end - begin) / step));
  const values = Array.from({ length: rows }, () => new Array(found.length).fill(null));
  found.forEach((p, c) => {
    const counts = new Map(); // row → how many values are in its sum
    p.data.values.forEach((row, r) => {
      const v = row[p.i];
      if (typeof v !== "number") return;
      const to = Math.floor((p.data.time + r * p.data.seconds_per_row - begin) / step);
      const n = counts.get(to) ?? 0;
      values[to][c] = n ? values[to][c] + v : v;
      counts.set(to, n + 1);
    });
    for (const [r, n] of counts) values[r][c] /= n;
  });
  return {
    time: begin, rows, columns: found.length, seconds_per_row: step, values,
    info: found.map((p) => ({ name: p.label, unit: p.data.info[p.i].unit, aggregation: "none" })),
  };
}
