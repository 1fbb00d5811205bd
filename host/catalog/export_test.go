package catalog

// Migrations is for a test that makes an old catalog.
func Migrations() []string { return migrations() }
