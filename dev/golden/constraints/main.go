// Prints, as JSON, which versions Masterminds/semver takes constraints to admit, so that a test can
// hold ours to the same. Run it in this directory and keep what it prints:
//
//	go run . > ../../../test/unit/core/version/constraints.json
package main

import (
	"encoding/json"
	"os"

	"github.com/Masterminds/semver/v3"
)

var constraints = []string{
	// One comparison.
	"1.5.0", "=1.5.0", "= 1.5.0", "v1.5.0", "=v1.5.0", "!=1.5.0", "!= v1.5.0", ">1.5.0", "<1.5.0",
	">=1.5.0", "=>1.5.0", "<=1.5.0", "=<1.5.0", "~1.5.0", "~>1.5.0", "^1.5.0", "> 1.5.0", "^ 1.5.0",
	"1.5.0+build.1", ">=1.5.0+build", "01.05.00",
	// Versions that are left open.
	"1", "1.5", "v1.5", "1.x", "1.X", "1.*", "1.5.x", "1.x.x", "1.x.3", "x", "X", "*", "x.2.3", "*.*.*",
	"=1", "=1.5", "=*", "!=1", "!=1.5", "!=1.x", "!=1.5.x", "!=*", ">1", ">1.5", ">1.5.x", ">*",
	">=1", ">=1.5", ">=1.x", ">=*", "<1", "<1.5", "<2.x", "<*", "<=1", "<=1.5", "<=1.5.x", "<=*",
	"~0", "~0.0", "~0.0.0", "~0.2", "~0.2.3", "~1", "~1.5", "~1.x", "~*", "~>2", "~0.0.3",
	"^0", "^0.0", "^0.0.0", "^0.0.3", "^0.2", "^0.2.3", "^1", "^1.5", "^1.x", "^1.5.x", "^*", "^2.0",
	// Several of them.
	">=1.0.0 <2.0.0", ">=1.0.0, <2.0.0", ">=1.0.0,<2.0.0", ">= 1.0.0 , < 2.0.0", ">1.2 !=1.5.0 <1.9",
	"^1.2 || ^2.0", "1.4.x||2.x", "<1.0.0 || >=2.0.0 <3.0.0", "=1.5.0 || =1.4.0 || =2.0.0",
	" >=1.0.0 ", "\t>=1.0.0\n<2.0.0",
	// Ranges.
	"1.2 - 1.4", "1.2.3 - 2.0.0", "1 - 2", "1.x - 2.x", "v1.2 - v1.4", "0.2 - 1.5.0", "1.2 - 1.4 || 2.x",
	"1.0 - 2.0 !=1.5.0", "!=1.5.0, 1.0 - 2.0", "1.0.0-beta - 2.0.0", "* - 2",
	// Prereleases.
	"*-0", "1.5.0-rc.1", "=1.5.0-rc.1", "!=1.5.0-rc.1", ">1.5.0-rc.1", ">=1.0.0-0", "<2.0.0-0",
	"<=2.0.0-rc.1", "~1.5.0-rc.1", "^1.0.0-0", "^0.2.0-0", "^0.0.3-0", ">=1.0.0-beta.1",
	">=1.0.0-0 <2.0.0", ">=1.0.0-0 || >=2.0.0", ">=1.0.0 || >=2.0.0-0", "1.x-0", "~1.5-0", "!=1.5.x-rc.1",
	"!=1.5-0", ">=1.5.0-10", ">=1.5.0-rc.10", "<1.5.0-alpha.beta",
	// No constraints.
	"", " ", "latest", "1.2.3.4", "1..2", ">", ">=", "=", "==1.0.0", "=>=1.0.0", "><1.0", "^^1.0", "~^1",
	"1.0.0 latest", ">=1.0.0,", ",>=1.0.0", ">=1.0.0,,<2.0.0", ">=1.0.0<2.0.0", "1.0 -2.0", "1.0- 2.0",
	"1.0 - ", "- 2.0", ">=1.0 - 2.0", "1.0 - <2.0", "1.0 - 2.0 - 3.0", "3.0 1.0 - 2.0", "||", "1 ||", "|| 1",
	"1.0.0-", "1.0.0+", "1.0.0-01", "V1.0.0", "1.xx", "1.*x", "x1", "1.0.0 && 2.0.0", "!1.0.0", "1,2,",
	"18446744073709551616", "1.2.3-beta..1", "ä", ">=1.0.0\u00a0<2.0.0",
}

var versions = []string{
	"0.0.0", "0.0.3", "0.0.4", "0.2.0", "0.2.3", "0.3.0", "0.2.3-rc.1", "0.0.3-0",
	"1.0.0", "1.0.0-0", "1.0.0-beta.1", "1.0.0-beta.2", "1.2.0", "1.2.3", "1.4.0", "1.4.9", "1.5.0",
	"1.5.0-alpha.1", "1.5.0-rc.1", "1.5.0-rc.2", "1.5.0-10", "1.5.0-9", "1.5.0+build.7", "1.5.1",
	"1.5.1-rc.1", "1.9.9", "v1.10.0", "1.11", "2", "2.0.0", "2.0.0-rc.1", "2.0.1", "2.1.0", "3.0.0-0",
	"3.0.0", "10.0.0",
}

func main() {
	admitted := make(map[string]*string, len(constraints))
	for _, text := range constraints {
		admitted[text] = nil
		constraint, err := semver.NewConstraint(text)
		if err != nil {
			continue
		}
		answers := make([]byte, len(versions))
		for index, version := range versions {
			answers[index] = '-'
			if constraint.Check(semver.MustParse(version)) {
				answers[index] = '+'
			}
		}
		line := string(answers)
		admitted[text] = &line
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	golden := map[string]any{
		"library":  "github.com/Masterminds/semver/v3 v3.5.0",
		"versions": versions,
		"admitted": admitted,
	}
	if err := encoder.Encode(golden); err != nil {
		panic(err)
	}
}
