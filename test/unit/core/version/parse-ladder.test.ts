import { expect } from 'chai';
import fc from 'fast-check';
import { parseStageSet } from '../../../../src/core/validate/schema.ts';
import { migrationKey } from '../../../../src/core/version/migration-key.ts';
import { isLadderFile, parseLadder } from '../../../../src/core/version/parse-ladder.ts';

const single = `
name: copy-users
to: 2.0.0
from: ">=1.4.0"
stage: database
actions:
  - name: copy
    wait: {duration: 1s}
down:
  - name: back
    wait: {duration: 1s}
`;

const list = `[
  {"name": "first", "to": "1.1.0"},
  {"name": "second", "to": "1.2.0", "actions": [{"name": "rest", "wait": {"duration": "1s"}}]}
]`;

function names(files: Readonly<Record<string, string>>): string[] | string {
  const parsed = parseLadder(Object.entries(files).map(([path, text]) => ({ path, text })));
  return parsed.kind === 'Ladder' ? parsed.ladder.map(({ name }) => name) : parsed.message;
}

describe('the files of a ladder', () => {
  it('are those with the ending of YAML or JSON under its path', () => {
    const all = [
      'a.yaml',
      'l/b.yml',
      'l/c.json',
      'l/d.txt',
      'l/e/f.yaml',
      'lower/g.yaml',
      'l.yaml',
    ];
    const under = (path: string | undefined): string[] =>
      all.filter((file) => isLadderFile(file, path));
    expect(under(undefined)).to.deep.equal(all.filter((file) => !file.endsWith('.txt')));
    for (const path of ['l', 'l/', './l', './l//']) {
      expect(under(path)).to.deep.equal(['l/b.yml', 'l/c.json', 'l/e/f.yaml']);
    }
    expect(under('l/c.json')).to.deep.equal(['l/c.json']);
  });

  it('make one ladder, in the order of their paths', () => {
    expect(
      names({ 'b/2.yaml': single, 'b/10.json': list, 'a.yml': 'name: zero\nto: 1.0.1\n' }),
    ).to.deep.equal(['zero', 'first', 'second', 'copy-users']);
  });

  it('may have several documents each, and none in some', () => {
    const several = `${single}---\n# nothing\n---\n- name: other\n  to: 3.0.0\n`;
    expect(names({ 'a.yaml': several, 'b.yaml': '# to be written\n' })).to.deep.equal([
      'copy-users',
      'other',
    ]);
  });

  it('mean the same as migrations in the spec, with the defaults of the CRD', () => {
    const action = { name: 'copy', apply: { sourceRef: { name: 'seed' } } };
    const migration = { name: 'one', to: '2.0.0', actions: [action] };
    const parsed = parseLadder([{ path: 'a.json', text: JSON.stringify(migration) }]);
    const stored = parseStageSet(
      {
        apiVersion: 'stages.metio.wtf/v1',
        kind: 'StageSet',
        metadata: { name: 'shop' },
        spec: { stages: [{ name: 'dev', sourceRef: { name: 'app' } }], migrations: [migration] },
      },
      { defaults: 'Apply' },
    );
    if (parsed.kind !== 'Ladder' || !stored.ok) throw new Error('they should be valid');
    const inline = stored.value.spec?.migrations ?? [];
    expect(parsed.ladder.map(migrationKey)).to.deep.equal(inline.map(migrationKey));
    expect(inline[0]?.actions?.[0]?.apply?.sourceRef.kind).to.equal('ExternalArtifact');
  });

  const refusals: [string, Readonly<Record<string, string>>, string][] = [
    ['there is none', {}, 'the artifact has no .yaml, .yml or .json file there; correct the path'],
    [
      'there is no migration in them',
      { 'a.yaml': '', 'b.json': '[]' },
      'there is no migration in the files; write one, or remove migrationsSourceRef',
    ],
    ['one is no YAML', { 'a.yaml': single, 'b.yaml': 'name: [' }, 'b.yaml:1'],
    [
      'one has another shape',
      { 'a.yaml': 'text' },
      'a.yaml:1: must be a migration or a list of them',
    ],
    [
      'a list has an item that is none',
      { 'a.yaml': '- name: one\n  to: 1.0.0\n- two\n' },
      'a.yaml:1[1]: must be an object; got a string of 3 characters',
    ],
    [
      'a field is missing in an item of a list',
      { 'a.json': '[{"name": "one"}]' },
      'a.json:1[0].to: is required',
    ],
    ['a field is missing in a single one', { 'a.yaml': 'name: one\n' }, 'a.yaml:1.to: is required'],
    [
      'a field is unknown',
      { 'a.yaml': `${single}downwards: []\n` },
      'a.yaml:2.downwards: unknown field "downwards"; check its spelling and its place',
    ],
    [
      'a field of an action is unknown',
      { 'a.yaml': single.replace('duration', 'durations') },
      'a.yaml:2.actions[0].wait.durations: unknown field',
    ],
    [
      'a later document is wrong',
      { 'a.yaml': `${single}---\nname: other\n` },
      'a.yaml:13.to: is required',
    ],
    [
      'two have one name',
      { 'a.yaml': single, 'b.yaml': single },
      'b.yaml:2.name: is copy-users, which a.yaml:2 is called already; give it another name',
    ],
    [
      'a version is none',
      { 'a.yaml': single.replace('2.0.0', '2.x') },
      'a.yaml:2.to: is "2.x", which is no semantic version such as 2.0.0',
    ],
    [
      'one is meant for a bare version',
      { 'a.yaml': single.replace('>=1.4.0', '1.4.0') },
      'a.yaml:2.from: is the bare version 1.4.0',
    ],
    [
      'an action does nothing',
      { 'a.yaml': 'name: one\nto: 1.0.0\nactions: [{name: idle}]\n' },
      'a.yaml:1.actions[0]: must say exactly one thing to do',
    ],
    [
      'there are too many (edge case 11, part B 13)',
      {
        'a.json': JSON.stringify(
          Array.from({ length: 300 }, (_, at) => ({ name: `m${at}`, to: '1.0.0' })),
        ),
      },
      'the ladder: has 201 migrations; at most 200 are allowed',
    ],
  ];
  for (const [title, files, message] of refusals) {
    it(`are refused where ${title}`, () => expect(names(files)).to.include(message));
  }

  it('are refused with MigrationArtifactInvalid', () => {
    expect(parseLadder([])).to.include({ kind: 'Invalid', reason: 'MigrationArtifactInvalid' });
  });

  it('of whatever text are read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        fc.constantFrom('a.yaml', 'a.json'),
        (text, path) => {
          parseLadder([{ path, text }]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
