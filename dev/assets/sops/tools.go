//go:build tools

// Package tools pins what the differential test of decryption runs.
package tools

import _ "github.com/getsops/sops/v3/cmd/sops"
