import { Buffer } from 'node:buffer';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';

/**
 * The CustomResourceDefinition without the CA bundle of its conversion webhook where that is only a
 * placeholder for what a CA injector fills in (part A 5.1). The API server refuses a bundle that is
 * no certificate, and a field that is not applied is left to the injector.
 */
export function withoutPlaceholderBundle(definition: KubernetesObject): KubernetesObject {
  const { spec } = definition;
  if (!isJsonObject(spec) || !isJsonObject(spec['conversion'])) return definition;
  const { webhook } = spec['conversion'];
  if (!isJsonObject(webhook) || !isJsonObject(webhook['clientConfig'])) return definition;
  const { caBundle, ...clientConfig } = webhook['clientConfig'];
  if (caBundle === undefined || isCertificate(caBundle)) return definition;
  const conversion = { ...spec['conversion'], webhook: { ...webhook, clientConfig } };
  return { ...definition, spec: { ...spec, conversion } };
}

function isCertificate(bundle: unknown): boolean {
  if (typeof bundle !== 'string') return false;
  return /-----BEGIN CERTIFICATE-----\s+\S[\s\S]*-----END CERTIFICATE-----/.test(
    Buffer.from(bundle, 'base64').toString('latin1'),
  );
}
