// Package docs checks that the documents say what the program does.
package docs
