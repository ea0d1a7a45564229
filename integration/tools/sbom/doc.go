// Command sbom says what a built ctr-prune is made of: as a bill of materials
// (CycloneDX 1.6, JSON) and as a table of licences for the docs. It takes the
// modules from the program itself, so that nothing is listed that is not in it,
// and writes no times: the same program gives the same bytes.
package main
