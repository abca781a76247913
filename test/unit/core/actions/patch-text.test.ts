import { expect } from 'chai';
import { readPatch } from '../../../../src/core/actions/patch-text.ts';
import { TerminalError } from '../../../../src/core/errors.ts';

describe('the text of a patch action', () => {
  it('is JSON', () => {
    expect(readPatch({ patch: '{"spec":{"replicas":3}}' })).to.deep.equal({
      type: 'merge',
      body: { spec: { replicas: 3 } },
    });
  });

  it('is YAML', () => {
    expect(
      readPatch({ patch: 'data:\n  mode: ready\n  old: null\n', type: 'merge' }),
    ).to.deep.equal({
      type: 'merge',
      body: { data: { mode: 'ready', old: null } },
    });
  });

  it('is a list of operations of type json6902, in YAML too', () => {
    const patch = '- op: remove\n  path: /data/a\n- {op: add, path: /data/b, value: null}\n';
    expect(readPatch({ patch, type: 'json6902' })).to.deep.equal({
      type: 'json6902',
      body: [
        { op: 'remove', path: '/data/a' },
        { op: 'add', path: '/data/b', value: null },
      ],
    });
  });

  for (const { what, patch, type, said } of [
    { what: 'nothing', patch: ' \n', type: 'merge', said: 'the patch is empty' },
    { what: 'a list for fields', patch: '[]', type: 'merge', said: 'must be an object' },
    { what: 'a text', patch: 'hello', type: 'merge', said: 'must be an object' },
    { what: 'fields for a list', patch: '{}', type: 'json6902', said: 'must be a list' },
    { what: 'several documents', patch: 'a: 1\n---\nb: 2\n', type: 'merge', said: 'several' },
    { what: 'no YAML', patch: 'a: [', type: 'merge', said: 'is not valid YAML' },
    {
      what: 'an unknown operation',
      patch: '[{"op":"increment","path":"/a"}]',
      type: 'json6902',
      said: 'operation 1 has an op that is none of add, remove, replace, move, copy, test',
    },
    {
      what: 'an operation without path',
      patch: '[{"op":"test","path":"/a","value":1},{"op":"remove"}]',
      type: 'json6902',
      said: 'operation 2 (remove) has no path',
    },
    {
      what: 'a move from nowhere',
      patch: '[{"op":"move","path":"/a"}]',
      type: 'json6902',
      said: 'operation 1 (move) has no from',
    },
    {
      what: 'an addition of nothing',
      patch: '[{"op":"add","path":"/a"}]',
      type: 'json6902',
      said: 'operation 1 (add) has no value',
    },
  ] as const) {
    it(`is refused when it is ${what}`, () => {
      expect(() => readPatch({ patch, type })).to.throw(TerminalError, said);
    });
  }

  it('is not quoted when it is refused', () => {
    const patch = 'stringData:\n  password: "swordfish\n';
    expect(() => readPatch({ patch })).to.throw(/^(?!.*swordfish)/s);
  });
});
