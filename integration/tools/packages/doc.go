// Packages writes the packages of ctr-prune, deb, rpm and apk for amd64 and arm64, with
// their bills of materials, checksums and, if a key is given, a signature of
// these. The same programs give the same bytes.
//
// What is in a package is in deploy/packages/nfpm.yaml; nfpm makes it.
package main
