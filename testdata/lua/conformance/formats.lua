--## format %d
for _, f in ipairs {"%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%.3d", "%8.3d", "%-8.3d|", "%#d", "%1d"} do
  local line = {} for _, n in ipairs {0, 1, -1, 7, 42, -12345, 2^31 - 1, -2^31, 1e10} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %i
for _, f in ipairs {"%i", "%5i", "%-5i|", "%05i", "%+i", "% i", "%.3i", "%8.3i", "%-8.3i|", "%#i", "%1i"} do
  local line = {} for _, n in ipairs {0, 1, -1, 7, 42, -12345, 2^31 - 1, -2^31, 1e10} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %c
for _, f in ipairs {"%c", "%5c", "%-5c|", "%05c", "%+c", "% c", "%.3c", "%8.3c", "%-8.3c|", "%#c", "%1c"} do
  local line = {} for _, n in ipairs {65, 97, 48, 33} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %x
for _, f in ipairs {"%x", "%5x", "%-5x|", "%05x", "%+x", "% x", "%.3x", "%8.3x", "%-8.3x|", "%#x", "%1x"} do
  local line = {} for _, n in ipairs {0, 1, 7, 42, 12345, 2^31 - 1, 2^32} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %X
for _, f in ipairs {"%X", "%5X", "%-5X|", "%05X", "%+X", "% X", "%.3X", "%8.3X", "%-8.3X|", "%#X", "%1X"} do
  local line = {} for _, n in ipairs {0, 1, 7, 42, 12345, 2^31 - 1, 2^32} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %o
for _, f in ipairs {"%o", "%5o", "%-5o|", "%05o", "%+o", "% o", "%.3o", "%8.3o", "%-8.3o|", "%#o", "%1o"} do
  local line = {} for _, n in ipairs {0, 1, 7, 42, 12345, 2^31 - 1, 2^32} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %u
for _, f in ipairs {"%u", "%5u", "%-5u|", "%05u", "%+u", "% u", "%.3u", "%8.3u", "%-8.3u|", "%#u", "%1u"} do
  local line = {} for _, n in ipairs {0, 1, 7, 42, 12345, 2^31 - 1, 2^32} do local ok, s = pcall(string.format, f, n) line[#line + 1] = tostring(s) end print(f, table.concat(line, ","))
end
--## format %e
for _, f in ipairs {"%e", "%12e", "%-12e|", "%012e", "%+e", "% e", "%.0e", "%.3e", "%12.3e", "%#e", "%#.0e", "%.10e"} do
  local line = {} for _, n in ipairs {0, 1, -1, 0.5, 1/3, -2.5, 1e15, 123456.789, 1e-5, 1e100, 1/0, -1/0, 2^53} do line[#line + 1] = string.format(f, n) end print(f, table.concat(line, ","))
end
--## format %E
for _, f in ipairs {"%E", "%12E", "%-12E|", "%012E", "%+E", "% E", "%.0E", "%.3E", "%12.3E", "%#E", "%#.0E", "%.10E"} do
  local line = {} for _, n in ipairs {0, 1, -1, 0.5, 1/3, -2.5, 1e15, 123456.789, 1e-5, 1e100, 1/0, -1/0, 2^53} do line[#line + 1] = string.format(f, n) end print(f, table.concat(line, ","))
end
--## format %f
for _, f in ipairs {"%f", "%12f", "%-12f|", "%012f", "%+f", "% f", "%.0f", "%.3f", "%12.3f", "%#f", "%#.0f", "%.10f"} do
  local line = {} for _, n in ipairs {0, 1, -1, 0.5, 1/3, -2.5, 1e15, 123456.789, 1e-5, 1e100, 1/0, -1/0, 2^53} do line[#line + 1] = string.format(f, n) end print(f, table.concat(line, ","))
end
--## format %g
for _, f in ipairs {"%g", "%12g", "%-12g|", "%012g", "%+g", "% g", "%.0g", "%.3g", "%12.3g", "%#g", "%#.0g", "%.10g"} do
  local line = {} for _, n in ipairs {0, 1, -1, 0.5, 1/3, -2.5, 1e15, 123456.789, 1e-5, 1e100, 1/0, -1/0, 2^53} do line[#line + 1] = string.format(f, n) end print(f, table.concat(line, ","))
end
--## format %G
for _, f in ipairs {"%G", "%12G", "%-12G|", "%012G", "%+G", "% G", "%.0G", "%.3G", "%12.3G", "%#G", "%#.0G", "%.10G"} do
  local line = {} for _, n in ipairs {0, 1, -1, 0.5, 1/3, -2.5, 1e15, 123456.789, 1e-5, 1e100, 1/0, -1/0, 2^53} do line[#line + 1] = string.format(f, n) end print(f, table.concat(line, ","))
end
--## format %s
for _, f in ipairs {"%s", "%5s", "%-5s|", "%.2s", "%5.2s", "%-5.2s|", "%.0s|", "%20s", "%-20s|"} do
  local line = {} for _, v in ipairs {"", "a", "abc", "abcdefgh", 12, 1.5, "a\tb"} do line[#line + 1] = string.format(f, v) end print(f, table.concat(line, ","))
end
print(pcall(string.format, "%s"), pcall(string.format, "%s", nil), pcall(string.format, "%s", {}), pcall(string.format, "%s", true))
--## format %q
for _, v in ipairs {"", "a", 'say "hi"', "back\\slash", "line\nbreak", "tab\t", "cr\r", "zero\0end", "\1\2\127\200", 12, 1.5} do print(string.format("%q", v)) end
--## formats that are none
for _, f in ipairs {"%", "%y", "%5", "%.", "%123d", "%.123f", "%--------d", "%d%", "%ld", "%*d", "% ", "%p", "%a"} do print(f, pcall(string.format, f, 1)) end
print(pcall(string.format, "%d", "x"), pcall(string.format, "%d", {}), pcall(string.format, "%d"), pcall(string.format, "%c", "a"), string.format("%d", "10"), string.format("%s %s", 1, 2, 3), string.format("%%"))
