-- A table per document type and version: lake/parquet/<docType>/v<version>/submission_date_s3=<day>.
-- Columns are the message's fields and the scalars of the document that its schema declares.

require "string"
local lake = require "lake"

function process_message()
    local namespace = read_message("Logger")
    local doc_type  = read_message("Fields[docType]") or "unknown"
    local version   = string.format("%d", read_message("Fields[docVersion]") or 0)
    local table_name = namespace == "telemetry" and doc_type or namespace .. "_" .. doc_type
    lake.parquet(string.format("%s/v%s/submission_date_s3=%s", table_name, version, read_message("Fields[submissionDate]") or "unknown"),
        {payload = "submission", namespace = namespace, doc_type = doc_type, doc_version = version})
    return 0
end

function timer_event() end
