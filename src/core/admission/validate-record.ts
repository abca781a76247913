import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { stagesApiVersion } from '../../types/stages.ts';
import { groupOf } from '../objects/identity.ts';
import { isByController, metadataOf, nameOf, sameJson } from './request.ts';
import type { AdmissionSettings } from './settings.ts';
import { allowed, forbidden, type Verdict } from './verdict.ts';

/** Those in Kubernetes who delete what nobody owns any more, or whose namespace is going. */
const collectors: readonly string[] = [
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:serviceaccount:kube-system:namespace-controller',
  // Both of them, where kube-controller-manager runs without --use-service-account-credentials.
  'system:kube-controller-manager',
];
const masters = 'system:masters';

/**
 * Whether a StageRun may be written or deleted. It is evidence: only the controller writes it, not
 * even its labels may be touched by others. Administrators may delete it, but not rewrite it.
 */
export function validateStageRun(request: AdmissionRequest, settings: AdmissionSettings): Verdict {
  const { groups = [] } = request.userInfo;
  const mayDelete = groups.includes(masters) ? allowed : undefined;
  return validateRecord(request, settings, { resource: 'stageruns', mayDelete });
}

/**
 * Whether a StageInventory may be written or deleted. Only the controller writes it: what it lists is
 * deleted when it is wanted no more. Whoever may delete one by RBAC may: the controller finds out and
 * looks for the objects by their labels (part A 5.9).
 */
export function validateStageInventory(
  request: AdmissionRequest,
  settings: AdmissionSettings,
): Verdict {
  const mayDelete: Verdict = {
    kind: 'Allowed',
    warnings: [
      'the controller looks for the objects of this stage by their labels; it does not find those ' +
        'of kinds that the stage no longer has, and they stay',
    ],
  };
  return validateRecord(request, settings, { resource: 'stageinventories', mayDelete });
}

interface RecordRules {
  /** Plural. */
  readonly resource: string;
  /** What is said to users who delete one; undefined where they may not. */
  readonly mayDelete: Verdict | undefined;
}

function validateRecord(
  request: AdmissionRequest,
  settings: AdmissionSettings,
  { resource, mayDelete }: RecordRules,
): Verdict {
  const { operation, userInfo } = request;
  const { username = '' } = userInfo;
  if (operation === 'CONNECT' || isByController(request, settings)) return allowed;
  if (operation === 'DELETE') {
    if (collectors.includes(username)) return allowed;
    if (mayDelete !== undefined) return mayDelete;
  }
  if (operation === 'UPDATE' && isHousekeeping(request)) return allowed;
  const subject = { group: groupOf(stagesApiVersion), resource, name: nameOf(request) };
  const why =
    `User ${JSON.stringify(username.slice(0, 253))} cannot ${operation.toLowerCase()} this record: ` +
    whoMay(operation, settings);
  return { kind: 'Refused', refusal: forbidden(subject, why), warnings: [] };
}

function whoMay(operation: string, { controllerUsers }: AdmissionSettings): string {
  const users = controllerUsers.map((user) => JSON.stringify(user)).join(' and ');
  if (operation === 'DELETE') {
    const also = `members of ${masters} and the garbage collector of Kubernetes may`;
    return users === '' ? `only ${also}` : `only ${users}, ${also}`;
  }
  return users === ''
    ? 'only the controller may, and its user is not known to this webhook'
    : `only ${users} may`;
}

/** What the API server changes by itself with every write. */
const ofTheServer: readonly string[] = ['generation', 'managedFields', 'resourceVersion'];

/**
 * Whether an update leaves all content as it is: it changes nothing, as a storage migration does, or
 * takes finalizers away; and the garbage collector may change the owners.
 */
function isHousekeeping({ object, oldObject, userInfo }: AdmissionRequest): boolean {
  if (object === undefined || object === null) return false;
  if (oldObject === undefined || oldObject === null) return false;
  const isCollector = collectors.includes(userInfo.username ?? '');
  const apart = new Set([
    ...ofTheServer,
    'finalizers',
    ...(isCollector ? ['ownerReferences'] : []),
  ]);
  const before = finalizersOf(oldObject);
  return (
    sameJson(contentOf(oldObject, apart), contentOf(object, apart)) &&
    finalizersOf(object).every((finalizer) => before.includes(finalizer))
  );
}

/** The object without these fields of its metadata. */
function contentOf(object: JsonObject, apart: ReadonlySet<string>): JsonObject {
  const metadata = Object.entries(metadataOf(object)).filter(([field]) => !apart.has(field));
  return { ...object, metadata: Object.fromEntries(metadata) };
}

function finalizersOf(object: JsonObject): unknown[] {
  const { finalizers } = metadataOf(object);
  return Array.isArray(finalizers) ? finalizers : [];
}
