import { Ajv } from 'ajv';
import { expect } from 'chai';
import { formats } from '../../../src/core/validate/formats.ts';
import { toJsonSchema } from '../../../src/core/validate/json-schema.ts';
import { keywords } from '../../../src/core/validate/keywords.ts';
import { withSharedSchemas } from '../../../src/core/validate/shared-schemas.ts';
import type { StructuralSchema } from '../../../src/types/structural-schema.ts';

function accepts(schema: StructuralSchema, value: unknown): boolean {
  const ajv = new Ajv({ allowUnionTypes: true, formats, keywords: [...keywords] });
  return ajv.validate(withSharedSchemas(toJsonSchema(schema)), value);
}

describe('a structural schema as JSON Schema', () => {
  it('takes an int-or-string for exactly these two', () => {
    const schema = { 'x-kubernetes-int-or-string': true };
    expect(accepts(schema, 80)).to.equal(true);
    expect(accepts(schema, '25%')).to.equal(true);
    expect(accepts(schema, 1.5)).to.equal(false);
    expect(accepts(schema, true)).to.equal(false);
    expect(accepts(schema, null)).to.equal(false);
  });

  it('lets null pass only where it is allowed', () => {
    expect(accepts({ type: 'string' }, null)).to.equal(false);
    expect(accepts({ type: 'string', nullable: true }, null)).to.equal(true);
    expect(accepts({ type: 'string', nullable: true }, 1)).to.equal(false);
  });

  it('wants an embedded resource to say what it is', () => {
    const schema = {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    } as const;
    expect(accepts(schema, { apiVersion: 'v1', kind: 'ConfigMap', data: {} })).to.equal(true);
    expect(accepts(schema, { kind: 'ConfigMap' })).to.equal(false);
  });

  it('holds integers to their width', () => {
    expect(accepts({ type: 'integer', format: 'int32' }, 2147483647)).to.equal(true);
    expect(accepts({ type: 'integer', format: 'int32' }, 2147483648)).to.equal(false);
    expect(accepts({ type: 'integer' }, Number.MAX_SAFE_INTEGER)).to.equal(true);
    expect(accepts({ type: 'integer' }, Number.MAX_SAFE_INTEGER + 1)).to.equal(false);
  });

  it('wants items of a set to differ', () => {
    const schema = {
      type: 'array',
      items: { type: 'string' },
      'x-kubernetes-list-type': 'set',
    } as const;
    expect(accepts(schema, ['a', 'b'])).to.equal(true);
    expect(accepts(schema, ['a', 'a'])).to.equal(false);
  });

  it('takes items of a list-map for equal when all their keys are', () => {
    const text = { type: 'string' } as const;
    const schema = {
      type: 'array',
      items: { type: 'object', properties: { port: { type: 'integer' }, protocol: text } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
    } as const;
    const tcp = { port: 80, protocol: 'TCP' };
    expect(accepts(schema, [tcp, { port: 80, protocol: 'UDP' }])).to.equal(true);
    expect(accepts(schema, [tcp, { ...tcp }])).to.equal(false);
  });

  it('judges repeated parts alike although they are compiled once', () => {
    const part = { type: 'object', properties: { name: { type: 'string' } } } as const;
    const schema = { type: 'object', properties: { one: part, two: part } } as const;
    expect(accepts(schema, { one: { name: 'a' }, two: { name: 'b' } })).to.equal(true);
    expect(accepts(schema, { one: { name: 'a' }, two: { name: 1 } })).to.equal(false);
    expect(withSharedSchemas(toJsonSchema(schema))['definitions']).to.have.keys('shared0');
  });

  it('does not compile a CEL rule that has no equivalent', () => {
    const schema = {
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'self.a == self.b', message: 'a and b must be equal' }],
    } as const;
    expect(() => accepts(schema, {})).to.throw('no equivalent');
  });
});
