/** Values that every parser of the file of variables must read unchanged. */

export const envCorpus: Readonly<Record<string, string>> = {
  'plain text': 'hunter2',
  spaces: ' a  b ',
  tabs: '\ta\t',
  'dollar signs': '$HOME $(id) $$',
  backticks: '`id`',
  'line breaks': '\na\n\nb\n',
  'double quotes': 'a"b"',
  'number signs': '#a # b',
  'equals signs': 'a=b=c',
  'a line like a variable': 'A=b\nFIRST=c',
  'a word of the shell': 'export A=b',
  unicode: 'pässwörd 日本 😀',
  'a backslash': 'a\\nb \\t',
  'characters of the shell': 'a;b|c&d>e<f *?[a] ~ !b 100%',
  JSON: '{"a":"b\\"c"}',
  'a PEM file': '-----BEGIN X-----\nAAAA+/=\n-----END X-----\n',
  'a long line': 'x'.repeat(64_990),
  'an empty text': '',
};
