import type { StructuralSchema } from '../../types/structural-schema.ts';

/** RFC 1123 subdomain: what a custom resource may be called. */
export const subdomainPattern =
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

const subdomain = new RegExp(subdomainPattern);
const longestSubdomain = 253;

/** Whether a text is an RFC 1123 subdomain, as most names of Kubernetes must be. */
export function isSubdomain(text: string): boolean {
  return text.length <= longestSubdomain && subdomain.test(text);
}

const text: StructuralSchema = { type: 'string' };
const texts: StructuralSchema = { type: 'object', additionalProperties: text };
const time: StructuralSchema = { type: 'string', format: 'date-time' };

/**
 * The fields of `metav1.ObjectMeta` that this project reads. A CRD says nothing about metadata, since
 * the API server brings its own rules; these are the part of them that our types rely on.
 */
export const objectMetaSchema: StructuralSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', maxLength: 253, pattern: subdomainPattern },
    namespace: text,
    generateName: text,
    uid: text,
    resourceVersion: text,
    generation: { type: 'integer', format: 'int64' },
    creationTimestamp: { ...time, nullable: true },
    deletionTimestamp: time,
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    labels: texts,
    annotations: texts,
    finalizers: { type: 'array', items: text },
    ownerReferences: {
      type: 'array',
      items: {
        type: 'object',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: text,
          kind: text,
          name: text,
          uid: text,
          controller: { type: 'boolean' },
          blockOwnerDeletion: { type: 'boolean' },
        },
      },
    },
    managedFields: { type: 'array', items: { type: 'object' } },
  },
};
