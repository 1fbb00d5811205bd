package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestLakeOnThePage: the datasets of the lake with their rows, columns and first rows; SQL where DuckDB is installed.
func TestLakeOnThePage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "sandbar.toml")
	if err := os.WriteFile(config, []byte("[lake]\nroll_age = \"1s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(dir, "data"), "serve", "--config", config)
	ctx := browser(t)
	open(t, ctx, p.url+"/lake")
	eval(t, ctx, 20*time.Second, "that it is empty", "document.querySelector('#sets').innerText.includes('Nothing in the lake yet')")
	for n := range 7 {
		p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n)))
	}
	until(t, 60*time.Second, "files in the lake", func() bool {
		var lake struct{ Datasets []struct{ Name string } }
		p.get("/lake", &lake)
		return len(lake.Datasets) == 2
	})
	open(t, ctx, p.url+"/lake?dataset=parquet/sensors_reading/v1")
	eval(t, ctx, 30*time.Second, "the dataset", "document.querySelectorAll('#sets li').length === 2 && document.querySelector('#one-sum').innerText.startsWith('7 rows') && document.querySelector('#parts').innerText.includes('submission_date_s3=') && document.querySelector('#columns').innerText.includes('doc_type')")
	eval(t, ctx, 20*time.Second, "its first rows", "document.querySelectorAll('#preview table.values tbody tr').length > 0 && document.querySelector('#preview').innerText.includes('reading')")
	picture(t, ctx, "lake")
	run(t, ctx, "[...document.querySelectorAll('#sets button')].find((b) => b.innerText.includes('heka')).click()")
	eval(t, ctx, 20*time.Second, "the messages", "document.querySelector('#one-sum').innerText.startsWith('7 messages') && document.querySelectorAll('#preview .failures li').length > 0 && location.search.includes('heka')")
	if _, err := exec.LookPath("duckdb"); err != nil {
		eval(t, ctx, 20*time.Second, "that there is no SQL", "document.querySelector('#query').hidden && document.querySelector('#query-note').innerText.includes('DuckDB is not installed')")
		t.Log("no DuckDB is here: queries are not tried")
		p.stop()
		return
	}
	ask := "{ const f = document.querySelector('#query'); f.elements.sql.value = %q; f.requestSubmit() }"
	run(t, ctx, fmt.Sprintf(ask, "select doc_type, count(*) as c from sensors_reading_v1 group by 1"))
	eval(t, ctx, 30*time.Second, "the answer", "/reading\\s*7/.test(document.querySelector('#result')?.innerText) && document.querySelector('#query-said').innerText.startsWith('1 row in')")
	picture(t, ctx, "lake-sql")
	run(t, ctx, fmt.Sprintf(ask, "copy (select 1) to 'x'"))
	eval(t, ctx, 30*time.Second, "that nothing else is possible", "document.querySelector('#result').innerText.includes('one SELECT is possible here')")
	p.stop()
}
