import { expect } from 'chai';
import { isAsRendered } from '../../../../src/core/plan/as-rendered.ts';
import type { JsonObject, KubernetesObject } from '../../../../src/types/kubernetes.ts';

function object(spec: JsonObject, fieldsV1?: JsonObject): KubernetesObject {
  const managedFields =
    fieldsV1 === undefined ? [] : [{ manager: 'us', operation: 'Apply', fieldsV1 }];
  return { apiVersion: 'v1', kind: 'Any', metadata: { name: 'web', managedFields }, spec };
}

function asRendered(live: JsonObject, rendered: JsonObject, fields?: JsonObject): boolean {
  const { metadata, ...rest } = object(rendered);
  return isAsRendered(object(live, fields), { ...rest, metadata: { name: metadata.name } }, 'us');
}

describe('whether an object is as it was rendered', () => {
  const table: [string, boolean, JsonObject, JsonObject, JsonObject?][] = [
    ['equal', true, { a: 1 }, { a: 1 }],
    ['a default that the server added', true, { a: 1, b: 2 }, { a: 1 }],
    ['a default inside a list item', true, { c: [{ n: 'x', p: 1 }] }, { c: [{ n: 'x' }] }],
    ['another value', false, { a: 1 }, { a: 2 }],
    ['an item more', false, { c: [{ n: 'x' }, { n: 'y' }] }, { c: [{ n: 'x' }] }],
    ['an empty map that the server dropped', true, {}, { data: {}, list: [], none: null }],
    [
      'a quantity in its short spelling',
      true,
      { cpu: '1', memory: '1Gi' },
      { cpu: '1000m', memory: '1024Mi' },
    ],
    ['another quantity', false, { cpu: '1' }, { cpu: '1001m' }],
    ['text that only looks alike', false, { image: 'web:1' }, { image: 'web:2' }],
    [
      'a field of ours that is gone',
      false,
      { a: 1, b: 2 },
      { a: 1 },
      { 'f:spec': { 'f:a': {}, 'f:b': {} } },
    ],
    ['a field of somebody else', true, { a: 1, b: 2 }, { a: 1 }, { 'f:spec': { 'f:a': {} } }],
    [
      'an item by a key with a default',
      true,
      { ports: [{ port: 80, protocol: 'TCP' }] },
      { ports: [{ port: 80 }] },
      { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } } },
    ],
  ];
  for (const [what, expected, live, rendered, fields] of table) {
    it(`is ${expected ? 'true' : 'false'} for ${what}`, () => {
      expect(asRendered(live, rendered, fields)).to.equal(expected);
    });
  }
});
