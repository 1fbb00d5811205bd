-- Decodes submissions from the HTTP edge: finds out what the document is from its URI, looks up where it
-- came from and drops the address, drops duplicates, parses and validates the document and annotates it.
-- Good messages have Type "telemetry" or "validated"; what cannot be decoded keeps its bytes and its cause.

require "string"
require "os"
require "math"
local cjson  = require "cjson"
local json   = require "json"
local schema = require "schema"
local geo    = require "geo"
local zlib   = require "zlib"
require "cuckoo_filter_expire"

local dedupe_minutes = read_config("dedupe_interval_minutes") or 6
local dedupe_items   = read_config("dedupe_items") or 131072
_PRESERVATION_VERSION = (read_config("preservation_version") or 0) + 1
seen = cuckoo_filter_expire.new(dedupe_items, dedupe_minutes) -- a global, so that it survives a restart

local channels = {release = true, beta = true, nightly = true, aurora = true, esr = true}
local systems  = {
    {"^[Ww][Ii][Nn]", "Windows"}, {"^[Dd]arwin", "Mac"}, {"^[Mm]ac", "Mac"}, {"^[Aa]ndroid", "Android"},
    {"^[Ii][Oo][Ss]", "iOS"}, {"^[Ii]Phone", "iOS"}, {"^[Ll]inux", "Linux"},
}
-- Parts of a telemetry document that become fields of their own, and the names of these.
local function parts(top, names)
    for i = 1, #names do names[i] = {part = names[i], field = top .. "." .. names[i]} end
    return names
end
local environment = parts("environment", {"addons", "build", "experiments", "partner", "profile", "settings", "system"})
local payload = parts("payload", {"addonDetails", "addonHistograms", "childPayloads", "chromeHangs", "fileIOReports", "histograms",
                     "info", "keyedHistograms", "lateWrites", "log", "simpleMeasurements", "slowSQL", "slowSQLstartup",
                     "threadHangStats", "UIMeasurements", "gc"})

-- Fields of the submission that are kept, and their names for read_message.
local headers = {}
for _, name in ipairs {"Host", "DNT", "Date", "User-Agent", "X-PingSender-Version", "X-Debug-ID", "X-Source-Tags"} do
    headers[name] = "Fields[" .. name .. "]"
end

local function unescape(s)
    if not string.find(s, "%", 1, true) then return s end
    return (string.gsub(s, "%%(%x%x)", function (hex) return string.char(tonumber(hex, 16)) end))
end

-- The fields of a document, with room for those that come later: a table that grows with them is made anew four times.
local function fields(id, doc_type, name, version, channel, build)
    return {documentId = unescape(id), docType = unescape(doc_type), appName = name and unescape(name), appVersion = version and unescape(version),
        appUpdateChannel = channel and unescape(channel), appBuildId = build and unescape(build),
        docVersion = nil, submission = nil, submissionDate = nil, sourceName = nil, sourceVersion = nil, reason = nil, clientId = nil, sampleId = nil,
        appVendor = nil, activeExperimentId = nil, creationTimestamp = nil, telemetryEnabled = nil, normalizedAppName = nil, normalizedChannel = nil,
        os = nil, normalizedOs = nil, normalizedOSVersion = nil, geoCountry = nil, geoCity = nil, geoSubdivision1 = nil, Host = nil, Date = nil, DNT = nil}
end

-- What the URI says: namespace and fields, or nil.
local function parse_uri(uri)
    local id, doc_type, name, version, channel, build =
        string.match(uri, "^/submit/telemetry/([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/]+)/?$")
    if id then
        return "telemetry", fields(id, doc_type, name, version, channel, build)
    end
    local namespace, dt, doc_version, did = string.match(uri, "^/submit/([^/]+)/([^/]+)/(%d+)/([^/]+)/?$")
    if namespace then
        local f = fields(did, dt)
        f.docVersion = tonumber(doc_version)
        return unescape(namespace), f
    end
end

local function locate(fields)
    local place = geo.lookup(read_message("Fields[remote_addr]") or "")
    fields.geoCountry = place and place.country or "??"
    fields.geoCity    = place and place.city or "??"
    if place then
        fields.geoSubdivision1 = place.subdivision1
        fields.geoSubdivision2 = place.subdivision2
        fields.geoISP          = place.isp
    end
end

local function type_of(namespace, suffix)
    if namespace == "telemetry" then return "telemetry." .. suffix end
    return suffix
end

-- The submission as it came, but for the address, with what is known of it and why it was refused.
local function refuse(namespace, known, kind, text, detail)
    local msg = decode_message(read_message("raw"))
    local fields = {}
    for _, f in ipairs(msg.Fields) do
        if f.name ~= "remote_addr" and f.name ~= "X-Forwarded-For" then fields[#fields + 1] = f end
    end
    for name, value in pairs(known or {}) do fields[#fields + 1] = {name = name, value = value} end
    fields[#fields + 1] = {name = "DecodeErrorType", value = kind}
    fields[#fields + 1] = {name = "DecodeError", value = text}
    if detail then fields[#fields + 1] = {name = "DecodeErrorDetail", value = detail} end
    msg.Logger = namespace or "moz_ingest"
    msg.Type   = namespace and type_of(namespace, "error") or "error"
    msg.Fields = fields
    inject_message(msg)
    return 0
end

-- A version: a whole number, or a text that is one; nil for anything else.
local function whole(doc, name)
    local v = doc:type(name) == "string" and string.match(doc:get(name), "^%d+$") or doc:type(name) == "number" and doc:get(name)
    v = tonumber(v or nil)
    if v and v >= 0 and v < 1e9 and v == math.floor(v) then return v end
end

-- Why a body is no JSON: what it is encoded with, if that is not what is decoded here.
local function encoded(err)
    local encoding = read_message("Fields[Content-Encoding]")
    if not encoding or encoding == "" or encoding == "identity" or encoding == "gzip" or encoding == "x-gzip" then return err end
    return string.format("Content-Encoding %s is not decoded, gzip is: %s", encoding, err)
end

local function normalize_channel(s)
    local base = string.match(string.lower(s or ""), "^(%a+)")
    return channels[base] and base or "Other"
end

local function normalize_os(s)
    for _, system in ipairs(systems) do
        if string.find(s, system[1]) then return system[2] end
    end
    return "Other"
end

local days_from = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}
local days_in   = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

local function leap_year(y) return y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0) end

-- Nanoseconds of an RFC 3339 time; nil for what is none, or does not exist.
local function nanoseconds(s)
    local y, mo, d, h, mi, sec, zone = string.match(s or "", "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d%.?%d*)(.*)$")
    if not y then return nil end
    y, mo, d, h, mi, sec = tonumber(y), tonumber(mo), tonumber(d), tonumber(h), tonumber(mi), tonumber(sec)
    if mo < 1 or mo > 12 or d < 1 or h > 23 or mi > 59 or not sec or sec >= 61 then return nil end
    if d > days_in[mo] + (mo == 2 and leap_year(y) and 1 or 0) then return nil end
    local before = mo > 2 and y or y - 1 -- the last year whose leap day has passed
    local leaps = math.floor(before / 4) - math.floor(before / 100) + math.floor(before / 400) - 477
    local days = (y - 1970) * 365 + leaps + days_from[mo] + d - 1
    local sign, oh, om = string.match(zone, "^([+-])(%d%d):?(%d%d)$")
    local offset = sign and (tonumber(oh) * 60 + tonumber(om)) * 60 * (sign == "-" and -1 or 1) or 0
    return (days * 86400 + h * 3600 + mi * 60 + sec - offset) * 1e9
end

-- Cuts parts of a member out of a document.
local function cut(doc, f, top, names)
    if doc:type(top) ~= "object" then return end
    for i = 1, #names do
        f[names[i].field] = doc:remove(top, names[i].part)
    end
end

-- The fields of a telemetry document; cuts the large sections out into fields of their own.
local function telemetry(doc, f)
    f.sourceName    = "telemetry"
    f.sourceVersion = tostring(f.docVersion)
    f.reason        = doc:string("payload", "info", "reason") or doc:string("payload", "reason")
    f.clientId      = doc:string("clientId") or doc:string("clientID")
    f.appVendor     = doc:string("application", "vendor")
    f.appName       = f.appName or doc:string("application", "name")
    f.appVersion    = f.appVersion or doc:string("application", "version")
    f.appBuildId    = f.appBuildId or doc:string("application", "buildId")
    f.appUpdateChannel   = f.appUpdateChannel or doc:string("application", "channel")
    f.activeExperimentId = doc:string("environment", "addons", "activeExperiment", "id")
    f.creationTimestamp  = nanoseconds(doc:string("creationDate") or doc:string("created"))
    if doc:type("environment", "settings", "telemetryEnabled") == "boolean" then
        f.telemetryEnabled = doc:get("environment", "settings", "telemetryEnabled")
    end
    f.normalizedAppName  = f.appName
    f.normalizedChannel  = normalize_channel(f.appUpdateChannel)
    f.os = doc:string("environment", "system", "os", "name") or doc:string("os")
    if f.os then
        f.normalizedOs = normalize_os(f.os)
        local version = doc:string("environment", "system", "os", "version") or doc:string("osversion")
        f.normalizedOSVersion = version and string.match(version, "^[%d.]+")
    end
    if f.clientId then
        f.sampleId = {value = zlib.crc32()(f.clientId) % 100, value_type = 2}
    end
    if f.creationTimestamp then f.creationTimestamp = {value = f.creationTimestamp, value_type = 2} end
    cut(doc, f, "environment", environment)
    if f.docType == "main" or f.docType == "saved-session" then cut(doc, f, "payload", payload) end
end

-- How many intervals ago the document came, nil when it is new. What lies outside of the window is not known. A filter whose
-- newest interval is in the future has seen a clock that was wrong, and begins anew.
local function known_since(uri, received)
    if seen:current_interval() > (os.time() + 2 * 60 * dedupe_minutes) * 1e9 then seen:clear() end
    if not seen:query(uri) then return nil end
    local added, delta = seen:add(uri, received)
    return not added and delta or nil
end

-- Validates a document and makes a message of it.
local function decode(doc, uri, namespace, f, received)
    f.docVersion = f.docVersion or whole(doc, "version") or whole(doc, "v") or whole(doc, "ver")
    if not f.docVersion then
        return refuse(namespace, f, "version", "the document has no version: neither version, v nor ver is a whole number")
    end
    local version = string.format("%d", f.docVersion)
    local ok, fault = schema.validate(doc, namespace, f.docType, version)
    if ok == nil then
        return refuse(namespace, f, "schema", string.format("namespace: %s schema: %s version: %s error: %s", namespace, f.docType, version, fault))
    elseif not ok then
        return refuse(namespace, f, "schema", string.format("namespace: %s schema: %s version: %s error: %s", namespace, f.docType, version, fault.message),
            cjson.encode({path = fault.path, keyword = fault.keyword}))
    end

    f.submissionDate = os.date("!%Y%m%d", received / 1e9)
    for name, field in pairs(headers) do f[name] = read_message(field) end
    if namespace == "telemetry" then telemetry(doc, f) end
    f.submission = doc
    f.docVersion = {value = f.docVersion, value_type = 2}
    inject_message({
        Timestamp = received, Logger = namespace, Type = namespace == "telemetry" and "telemetry" or "validated",
        Hostname = read_message("Hostname"), EnvVersion = read_message("EnvVersion"), Fields = f,
    })
    seen:add(uri, received) -- only what is valid: a document that was refused may come again
    return 0
end

function process_message()
    local uri = read_message("Fields[uri]") or ""
    local namespace, f = parse_uri(uri)
    if not namespace then return refuse(nil, nil, "uri", "the path is no submission: " .. uri) end

    local received = read_message("Timestamp")
    local delta = known_since(uri, received)
    if delta then
        f.duplicateDelta = {value = delta, value_type = 2, representation = dedupe_minutes .. "m"}
        inject_message({Timestamp = received, Logger = namespace, Type = type_of(namespace, "duplicate"), Fields = f})
        return 0
    end

    locate(f)
    local doc, err, odd = json.parse_message("Fields[content]")
    if not doc then return refuse(namespace, f, "json", encoded(err)) end
    f.contentRepaired = odd
    local status = decode(doc, uri, namespace, f, received)
    doc:close()
    return status
end

function timer_event(ns, shutdown) end
