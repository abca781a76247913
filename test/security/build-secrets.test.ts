import { expect } from 'chai';
import { Builder } from '../../src/build/builder.ts';
import { TerminalError } from '../../src/core/errors.ts';
import type { StagePatch } from '../../src/types/stages.ts';
import { kustomizeBinary } from '../kustomize.ts';
import { filesOf } from '../unit/build/artifact.ts';

const generator = (source: string): string => `secretGenerator: [{name: x, ${source}}]\n`;
const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n';

interface Leak {
  readonly files: Record<string, string>;
  readonly patches?: readonly StagePatch[];
  readonly variables?: Record<string, string>;
}

/** Ways in which the value hunter2 of a Secret could come into a message. */
const leaks: Record<string, Leak> = {
  'a literal without a key': { files: { 'kustomization.yaml': generator('literals: [hunter2]') } },
  'a literal with an empty key': {
    files: { 'kustomization.yaml': generator('literals: ["=hunter2"]') },
  },
  'a literal of another type': {
    files: { 'kustomization.yaml': generator('literals: [{a: hunter2}]') },
  },
  'a literal that is there twice': {
    files: { 'kustomization.yaml': generator('literals: [a=hunter2, a=hunter2]') },
  },
  'a plugin': {
    files: {
      'kustomization.yaml': 'generators: [plugin.yaml]\n',
      'plugin.yaml':
        'apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: x}\nliterals: [hunter2]\n',
    },
  },
  'a file of variables that is no UTF-8': {
    files: { 'kustomization.yaml': generator('envs: [.env]'), '.env': 'A=hunter2\nA=hunter2' },
  },
  'a Secret without a name': {
    files: {
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {}\nstringData: {a: hunter2}\n',
    },
  },
  'a Secret with a list for data': {
    files: {
      'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: y-\n',
      'a.yaml': `${secret}stringData: {1: hunter2}\n`,
    },
  },
  'a Secret that is not YAML': {
    files: { 'a.yaml': `${secret}stringData:\n  a: |hunter2\n    b\n` },
  },
  'a Secret with an unknown tag': { files: { 'a.yaml': `${secret}stringData: {a: !hunter2 b}\n` } },
  'a Secret with text after its end': {
    files: { 'a.yaml': `${secret}stringData: {a: b}\n}hunter2\n` },
  },
  'a patch of a Secret that does not apply': {
    files: { 'a.yaml': `${secret}stringData: {a: b}\n` },
    patches: [
      {
        patch: '[{"op":"test","path":"/stringData/a","value":"hunter2"}]',
        target: { kind: 'Secret' },
      },
    ],
  },
  'a patch of another shape than the Secret': {
    files: { 'a.yaml': `${secret}stringData: {a: hunter2}\n` },
    patches: [
      { patch: 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: [hunter2]\n' },
    ],
  },
  'a patch of a Secret that names none': {
    files: { 'a.yaml': `${secret}stringData: {a: b}\n` },
    patches: [
      { patch: 'apiVersion: v1\nkind: Secret\nmetadata: {name: y}\nstringData: {a: hunter2}\n' },
    ],
  },
  'a variable that breaks a Secret': {
    files: { 'a.yaml': `${secret}stringData: {a: "\${password}"}\n` },
    variables: { password: '[hunter2: "' },
  },
  'a variable that is a number': {
    files: { 'a.yaml': `${secret}stringData: {a: "\${password}"}\n` },
    variables: { password: '12345678901234567890' },
  },
};

describe('attack 52: a build that is made to fail beside a secret (its message repeats no value, part A 4.1)', () => {
  let builder: Builder;

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(() => builder.close());

  for (const [what, { files, patches = [], variables = {} }] of Object.entries(leaks)) {
    it(`at ${what} does not repeat the secret`, async () => {
      const error: unknown = await builder
        .build(filesOf(files), {
          patches,
          variables: new Map(Object.entries(variables)),
          signal: new AbortController().signal,
        })
        .catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(TerminalError);
      expect((error as Error).message).not.to.match(/hunter2|12345678901234567890|\/tmp\//);
    });
  }
});
