//go:build tools

// Package tools pins what the throwaway cluster is built from.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
