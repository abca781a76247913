//go:build tools

// Package tools pins what the throwaway cluster is built from.
package tools

import _ "github.com/fluxcd/source-controller"
