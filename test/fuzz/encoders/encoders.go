// The ways in which programs in Go print a text. Input: a JSON list of texts. Output: for each a list of [name, text].
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"os"
	"strconv"
)

func encode(value string) [][2]string {
	data := []byte(value)
	marshalled, _ := json.Marshal(value)
	return [][2]string{
		{"go %q", fmt.Sprintf("%q", value)},
		{"go %+q", fmt.Sprintf("%+q", value)},
		{"go %#v", fmt.Sprintf("%#v", value)},
		{"go %x", fmt.Sprintf("%x", value)},
		{"go %X", fmt.Sprintf("%X", value)},
		{"go % x", fmt.Sprintf("% x", value)},
		{"go %v of bytes", fmt.Sprintf("%v", data)},
		{"go QuoteToASCII", strconv.QuoteToASCII(value)},
		{"go QuoteToGraphic", strconv.QuoteToGraphic(value)},
		{"go json", string(marshalled)},
		{"go QueryEscape", url.QueryEscape(value)},
		{"go PathEscape", url.PathEscape(value)},
		{"go userinfo", url.UserPassword("user", value).String()[5:]},
		{"go html", html.EscapeString(value)},
		{"go JSEscape", template.JSEscapeString(value)},
		{"go HTMLEscape", template.HTMLEscapeString(value)},
		{"go base64", base64.StdEncoding.EncodeToString(data)},
		{"go base64, raw", base64.RawStdEncoding.EncodeToString(data)},
		{"go base64 for URLs", base64.URLEncoding.EncodeToString(data)},
		{"go basic auth", base64.StdEncoding.EncodeToString([]byte("user:" + value))},
		{"go hex", hex.EncodeToString(data)},
	}
}

func main() {
	var values []string
	if err := json.NewDecoder(os.Stdin).Decode(&values); err != nil {
		panic(err)
	}
	encoded := [][][2]string{}
	for _, value := range values {
		encoded = append(encoded, encode(value))
	}
	if err := json.NewEncoder(os.Stdout).Encode(encoded); err != nil {
		panic(err)
	}
}
