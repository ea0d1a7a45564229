// Package strictjson reads JSON that says the same to every reader.
//
// encoding/json takes the last of several keys that are the same, and a key of
// another case ("Action" for "action") for the field. Other programs, such as
// jq, read such a document in another way: what a person has looked at is then
// not what is done. So both are errors here. Keys that mean nothing to the reader are
// passed over, as documents grow.
package strictjson
