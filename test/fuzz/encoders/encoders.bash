#!/bin/bash
# The ways in which shells and their programs print a text. Input: each text in base64 on a line. Output: lines of number, name
# and text, the last two in base64, separated by spaces.
export LC_ALL=C.UTF-8
number=0
print() {
  echo "$number $(printf %s "$1" | base64 -w0) $(base64 -w0)"
}
while read -r line; do
  # The dot keeps line feeds at the end.
  value=$(printf %s "$line" | base64 -d; echo .)
  value=${value%.}
  printf %q "$value" | print 'bash %q'
  printf %s "${value@Q}" | print 'bash @Q'
  (PS4=''; set -x; : "$value") 2>&1 | sed '1s/^: //' | print 'bash set -x'
  declare -p value | sed '1s/^declare -- value=//' | print 'bash declare'
  printf %s "$value" | base64 | print 'base64'
  printf %s "$value" | od -An -v -tx1 | print 'od'
  if [ -n "$WITH_JQ" ]; then
    for filter in @sh @uri @html @json @base64 tojson; do
      printf %s "$value" | jq -Rrs "$filter" | print "jq $filter"
    done
    printf %s "$value" | jq -Ras . | print 'jq -a'
  fi
  number=$((number + 1))
done
