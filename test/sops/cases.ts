/** A file for the real SOPS to encrypt, and how. */
export interface SopsCase {
  readonly name: string;
  /** Of the encrypted file; the format goes by it. */
  readonly file: string;
  readonly plain: string | Uint8Array;
  /** Fields of the creation rule (`.sops.yaml`), without its recipients. */
  readonly rule?: CreationRule;
  readonly recipients?: Recipients;
  /** What our output has in common with that of `sops decrypt`. */
  readonly same: 'Bytes' | 'Data';
}

/** `encrypted_regex`, `mac_only_encrypted` and their kin. */
type CreationRule = Readonly<Record<string, string | boolean>>;

/** Who can open a file; each but `Age` stands for one way that is tried only there. */
type Recipients =
  | 'Age'
  | 'PostQuantum'
  | 'Pgp'
  | 'PgpOfCurve25519'
  | 'AgeAndStrangers'
  | 'TwoOfThreeGroups'
  | 'AllOfTwoGroups';

const secret = `apiVersion: v1
kind: Secret
metadata:
    name: database
    labels:
        "1": one
        app: web
stringData:
    user: admin
    password: correct horse battery staple
data:
    token: c2VjcmV0
`;

const types = `text: hello
empty: ""
nothing: null
tilde: ~
int: 42
negative: -17
big: 9223372036854775807
octal: 0644
hex: 0x1F
float: 3.14159
exponent: 1.5e10
small: 0.00001
whole: 1000000.0
yes: true
no: false
oldyes: "yes"
oldno: "off"
numbertext: "12345"
floattext: "1.0"
booltext: "true"
nulltext: "null"
datetext: "2024-01-31"
base60: "12:30:45"
date: 2024-01-31
time: 2024-01-31T12:30:45Z
colon: "a: b"
hash: "a # b"
dash: "- a"
quote: "it's \\"quoted\\""
spaces: "  around  "
tab: "a\\tb"
bell: "a\\ab"
unicode: "žluťoučký kůň 🐎"
brace: "{a: b}"
star: "*star"
percent: "%percent"
at: "@at"
equals: "="
lines: |
    first
    second
folded: >
    one
    two
kept: |+
    kept

stripped: |-
    stripped
    twice
indented: |2
      leading spaces
    less
windows: "a\\r\\nb"
trailing: "a \\nb"
breaks: "\\n\\n"
breakonly: "\\n"
`;

const nested = `top:
    middle:
        bottom:
            - one
            - two: 2
              three: 3
            - - four
              - five
            - {}
            - []
        "10": ten
        "9": nine
        b: 1
        a: 2
list:
    - plain
    - |
        several
        lines
    - 1
    - true
    - null
empty: {}
none: []
`;

const comments = `# the file
# has two lines of it
first: 1 # behind
# before second
second: 2

# apart
third:
    # inside
    a: 1
    # in between
    b: 2
    # at the end
fourth:
    # of a list
    - x # behind x
    # between
    - y
    # end of list
fifth: # behind a key
    z: 1
# the end
`;

const encryptComments = `plain: not secret
# encrypt this
hidden: secret value
also: plain
nested:
    # encrypt this
    deep:
        a: one
        b: two
    open: yes it is
list:
    - first
    # encrypt this
    - second
    - third
line: hidden too # encrypt this
last: plain
`;

const plainComments = encryptComments.replaceAll('encrypt this', 'leave this');

const json = `{
	"text": "hello <b>&amp;</b>",
	"1": "one",
	"int": 7,
	"big": 9007199254740993,
	"float": 2.5,
	"exponent": 1e21,
	"yes": true,
	"nothing": null,
	"empty": "",
	"list": ["a", 1, false, {"x": "y"}, []],
	"nested": {"z": "last", "a": "first", "": "no name"},
	"escapes": "a\\"b\\\\c\\n\\t\\u0001\\u2028"
}
`;

const dotenv = `# a comment
NAME=value
EMPTY=
SPACES=  around  
QUOTED="in quotes"
EQUALS=a=b=c
LINES=first\\nsecond
# another
UNICODE=žluťoučký
open_unencrypted=plain
`;

const ini = `top = level

[section]
; about a key
key = value
longer_key = with spaces
number = 5
quoted = "in quotes"
hash = \`a # b\`
empty =

; about a section
[second]
a = 1
lines = """first
second"""
`;

function yaml(
  name: string,
  plain: string,
  rule: CreationRule = {},
  recipients?: Recipients,
  same: SopsCase['same'] = 'Bytes',
): SopsCase {
  return {
    name: `yaml: ${name}`,
    file: 'file.yaml',
    plain,
    rule,
    same,
    ...(recipients === undefined ? {} : { recipients }),
  };
}

const allRecipients: readonly Recipients[] = [
  'PostQuantum',
  'Pgp',
  'PgpOfCurve25519',
  'AgeAndStrangers',
  'TwoOfThreeGroups',
  'AllOfTwoGroups',
];

const rules: readonly (readonly [name: string, rule: CreationRule])[] = [
  ['encrypted regex', { encrypted_regex: '^(data|stringData)$' }],
  ['encrypted regex inside', { encrypted_regex: 'pass' }],
  ['encrypted regex without case', { encrypted_regex: '(?i)^STRINGDATA$' }],
  ['unencrypted regex', { unencrypted_regex: '^(kind|apiVersion|metadata)$' }],
  ['encrypted suffix', { encrypted_suffix: 'Data' }],
  ['unencrypted suffix', { unencrypted_suffix: 'data' }],
];

/** Every file that the real SOPS is asked about. */
export const sopsCases: readonly SopsCase[] = [
  yaml('a Secret', secret),
  yaml('all types', types),
  yaml('all types in the clear', types, { encrypted_regex: '^text$' }),
  yaml('nesting', nested),
  yaml('nesting, whole list', nested, { encrypted_regex: '^list$' }),
  yaml('comments', comments, {}, undefined, 'Data'),
  yaml('one key', 'a: b\n'),
  yaml('several documents', `${secret}---\n${secret.replace('database', 'other')}---\na: 1\n`),
  yaml('documents with comments', `# one\na: 1\n---\n# two\nb: 2\n`, {}, undefined, 'Data'),
  yaml(
    'anchors',
    'base: &base\n    a: 1\nsame: *base\nlist:\n    - *base\n',
    {},
    undefined,
    'Data',
  ),
  yaml('a flow mapping', 'a: {b: c, d: [e, f]}\n'),
  yaml('a long text', `long: ${'word '.repeat(200)}end\n`),
  yaml(
    'a certificate',
    `tls.key: |\n    -----BEGIN KEY-----\n    ${'A'.repeat(64)}\n    -----END KEY-----\n`,
  ),
  yaml('binary', 'bytes: !!binary aGVsbG8=\nbad: !!binary /////w==\n', {}, undefined, 'Data'),
  yaml('keys with colons', '"a:b":\n    "c:d": e\n"a": f\n'),
  yaml('proto keys', '__proto__:\n    a: 1\nconstructor: b\n'),
  yaml('a default suffix', 'open_unencrypted: a\nnested_unencrypted:\n    b: c\nclosed: d\n'),
  ...rules.flatMap(([name, rule]) => [
    yaml(name, secret, rule),
    yaml(`${name}, MAC of what is encrypted`, secret, { ...rule, mac_only_encrypted: true }),
  ]),
  yaml('comments that ask', encryptComments, { encrypted_comment_regex: 'encrypt this' }),
  yaml('comments that ask, MAC of what is encrypted', encryptComments, {
    encrypted_comment_regex: 'encrypt this',
    mac_only_encrypted: true,
  }),
  yaml('comments that forbid', plainComments, { unencrypted_comment_regex: 'leave this' }),
  yaml('comments that forbid, MAC of what is encrypted', plainComments, {
    unencrypted_comment_regex: 'leave this',
    mac_only_encrypted: true,
  }),
  ...allRecipients.map((recipients) => yaml(recipients, secret, {}, recipients)),
  { name: 'json: all types', file: 'file.json', plain: json, same: 'Bytes' },
  {
    name: 'json: encrypted regex',
    file: 'file.json',
    plain: json,
    rule: { encrypted_regex: '^(text|list)$' },
    same: 'Bytes',
  },
  {
    name: 'json: MAC of what is encrypted',
    file: 'file.json',
    plain: json,
    rule: { encrypted_regex: '^(text|nested)$', mac_only_encrypted: true },
    same: 'Bytes',
  },
  { name: 'json: one field', file: 'file.json', plain: '{"a": "b"}\n', same: 'Bytes' },
  { name: 'json: empty', file: 'file.json', plain: '{}\n', same: 'Data' },
  { name: 'dotenv: all', file: 'file.env', plain: dotenv, same: 'Bytes' },
  {
    name: 'dotenv: encrypted regex',
    file: 'file.env',
    plain: dotenv,
    rule: { encrypted_regex: 'NAME' },
    same: 'Bytes',
  },
  {
    name: 'dotenv: MAC of what is encrypted',
    file: 'file.env',
    plain: dotenv,
    rule: { encrypted_regex: 'NAME', mac_only_encrypted: true },
    same: 'Bytes',
  },
  { name: 'ini: all', file: 'file.ini', plain: ini, same: 'Bytes' },
  {
    name: 'ini: encrypted regex',
    file: 'file.ini',
    plain: ini,
    rule: { encrypted_regex: '^key$' },
    same: 'Bytes',
  },
  { name: 'ini: no top level', file: 'file.ini', plain: '[a]\nb = c\n', same: 'Bytes' },
  { name: 'binary: text', file: 'file.txt', plain: 'hello\nworld', same: 'Bytes' },
  {
    name: 'binary: bytes',
    file: 'file.bin',
    plain: Uint8Array.from({ length: 512 }, (_, index) => index % 256),
    same: 'Bytes',
  },
  { name: 'binary: JSON inside', file: 'file.data', plain: json, same: 'Bytes' },
  ...(['dotenv', 'ini', 'json', 'binary'] as const).flatMap((format) =>
    allRecipients.map(
      (recipients): SopsCase => ({
        name: `${format}: ${recipients}`,
        file: { dotenv: 'file.env', ini: 'file.ini', json: 'file.json', binary: 'file.bin' }[
          format
        ],
        plain: { dotenv, ini, json, binary: 'text' }[format],
        recipients,
        same: 'Bytes',
      }),
    ),
  ),
];
