import { readYaml } from '../objects/yaml.ts';
import { clusterFailed, clusterRefused } from './cluster-error.ts';
import { readServerAddress } from './server-address.ts';

/** What a tenant's kubeconfig says about its current context, with everything decoded. */
export interface TenantKubeconfig {
  readonly server: URL;
  /** PEM; undefined trusts the usual authorities. */
  readonly ca?: string;
  /** Name to expect in the server's certificate, where it is not the host of the address. */
  readonly serverName?: string;
  /** PEM pair. */
  readonly certificate?: string;
  readonly privateKey?: string;
  readonly token?: string;
  readonly basic?: { readonly username: string; readonly password: string };
}

/** Characters; what a Secret can hold, about. */
const longestText = 1024 * 1024;

/**
 * Lines, and signs that may begin something in YAML. What a tenant has written is read where all wait
 * for it, and a megabyte of small pieces takes seconds; a hundred clusters have a few thousand.
 */
const mostPieces = 10_000;

/** Clusters, users and contexts, of each. */
const mostEntries = 100;

const clusterFields = ['server', 'certificate-authority-data', 'tls-server-name'];
const userFields = ['client-certificate-data', 'client-key-data', 'token', 'username', 'password'];

/** Fields without any effect on us. */
const harmless = ['extensions', 'disable-compression'];

/**
 * Reads a kubeconfig that a tenant supplied (part A 9.3). Everything must be in the text itself: an
 * exec plugin or auth provider would let the tenant run code in this process, a path would let it
 * read the files of this pod, a proxy or unverified TLS would lead its credentials astray, and who is
 * impersonated is for the StageSet's ServiceAccount to say. No entry may have such a field, whether
 * the current context uses it or not; nor one that we do not know.
 *
 * @throws TerminalError that names each refused field; RetryableError for a text that is no usable
 *   kubeconfig. Neither quotes a value.
 */
export function readTenantKubeconfig(text: string): TenantKubeconfig {
  const document = parse(text);
  const clusters = entriesOf(document, 'clusters', 'cluster');
  const users = entriesOf(document, 'users', 'user');
  const contexts = entriesOf(document, 'contexts', 'context');
  refuseFields([
    ...strangeFields(clusters, 'clusters', 'cluster', clusterFields),
    ...strangeFields(users, 'users', 'user', userFields),
  ]);
  const current = textAt(document, 'current-context', 'current-context');
  if (current === undefined) throw malformed('has no current-context; set it');
  const context = named(contexts, current, 'contexts', 'current-context');
  const cluster = namedBy(context, 'cluster', clusters, 'clusters');
  const user = namedBy(context, 'user', users, 'users');
  return { ...serverOf(cluster), ...identityOf(user) };
}

function parse(text: string): Fields {
  if (text.trim() === '') throw malformed('is empty');
  if (text.length > longestText) throw malformed(`is longer than ${longestText} characters`);
  if (hasMorePieces(text, mostPieces)) {
    throw malformed(
      `has more than ${mostPieces} lines and parts; keep those of its current context, as ` +
        'kubectl config view --raw --flatten --minify does',
    );
  }
  let documents: unknown[];
  try {
    documents = [...readYaml(text, 'kubeconfig', 'Kubernetes')].map(({ value }) => value);
  } catch {
    // The parser's own words may quote the document, which holds keys and tokens.
    throw malformed('is not valid YAML, or its aliases stand for too much');
  }
  const [document] = documents;
  if (documents.length !== 1 || !isFields(document)) {
    throw malformed('must be one YAML mapping of kind Config with clusters, users and contexts');
  }
  return document;
}

function hasMorePieces(text: string, most: number): boolean {
  const piece = /[\n\r,:{[?-]/g;
  let found = 0;
  while (piece.test(text)) if ((found += 1) > most) return true;
  return false;
}

type Fields = Readonly<Record<string, unknown>>;

interface Entry {
  readonly name: string;
  readonly fields: Fields;
}

function entriesOf(document: Fields, list: string, body: string): Entry[] {
  const entries = document[list] ?? [];
  if (!Array.isArray(entries)) throw malformed(`has ${list} that are no list`);
  if (entries.length > mostEntries) throw malformed(`has more than ${mostEntries} ${list}`);
  return entries.map((entry: unknown, index) => {
    const at = `${list}[${index}]`;
    if (!isFields(entry)) throw malformed(`has ${at} that is no mapping`);
    const fields = entry[body] ?? {};
    if (!isFields(fields)) throw malformed(`has ${at}.${body} that is no mapping`);
    return { name: textAt(entry, 'name', `${at}.name`) ?? '', fields };
  });
}

/** Paths of fields that are set and neither taken nor harmless. */
function strangeFields(
  entries: readonly Entry[],
  list: string,
  body: string,
  taken: readonly string[],
): string[] {
  return entries.flatMap(({ fields }, index) =>
    Object.entries(fields)
      .filter(
        ([field, value]) => !taken.includes(field) && !harmless.includes(field) && asks(value),
      )
      .map(([field]) => `${list}[${index}].${body}.${field.slice(0, 64)}`),
  );
}

/** Absent, false and empty values ask for nothing. */
function asks(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '';
}

const shown = 5;

function refuseFields(found: readonly string[]): void {
  if (found.length === 0) return;
  const rest = found.length > shown ? ` and ${found.length - shown} more` : '';
  throw clusterRefused(
    `the kubeconfig uses ${found.slice(0, shown).join(', ')}${rest}, which is not done for a ` +
      `kubeconfig in a Secret; only inline data is accepted: ${[...clusterFields, ...userFields].join(', ')}`,
  );
}

function namedBy(context: Entry, field: string, entries: readonly Entry[], list: string): Entry {
  const name = textAt(context.fields, field, `contexts[].context.${field}`);
  if (name === undefined) throw malformed(`has a current context without ${field}`);
  return named(entries, name, list, `${field} of the current context`);
}

function named(entries: readonly Entry[], name: string, list: string, by: string): Entry {
  const found = entries.find((entry) => entry.name === name);
  if (found === undefined) throw malformed(`has no entry in ${list} that its ${by} names`);
  return found;
}

function serverOf({ fields }: Entry): Pick<TenantKubeconfig, 'server' | 'ca' | 'serverName'> {
  const text = textAt(fields, 'server', 'server');
  if (text === undefined) throw malformed('has no server for its current context');
  const address = readServerAddress(text);
  if ('problem' in address) throw clusterRefused(`the kubeconfig's server ${address.problem}`);
  const ca = decodedAt(fields, 'certificate-authority-data');
  const serverName = textAt(fields, 'tls-server-name', 'tls-server-name');
  return {
    server: address.url,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function identityOf({ fields }: Entry): Omit<TenantKubeconfig, 'server' | 'ca' | 'serverName'> {
  const certificate = decodedAt(fields, 'client-certificate-data');
  const privateKey = decodedAt(fields, 'client-key-data');
  if ((certificate === undefined) !== (privateKey === undefined)) {
    throw malformed('has only one of client-certificate-data and client-key-data');
  }
  const token = textAt(fields, 'token', 'token')?.trim();
  const username = textAt(fields, 'username', 'username');
  const password = textAt(fields, 'password', 'password') ?? '';
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw malformed('has a token with spaces or control characters');
  }
  if (token !== undefined && username !== undefined) {
    throw malformed('has both token and username; keep one');
  }
  if (username?.includes(':') === true) throw malformed('has a username with a colon');
  return {
    ...(certificate === undefined || privateKey === undefined ? {} : { certificate, privateKey }),
    ...(token === undefined ? {} : { token }),
    ...(username === undefined ? {} : { basic: { username, password } }),
  };
}

function textAt(fields: Fields, field: string, shownAs: string): string | undefined {
  const value = fields[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw malformed(`has ${shownAs} that is no text; quote it`);
  return value;
}

function decodedAt(fields: Fields, field: string): string | undefined {
  const encoded = textAt(fields, field, field)?.replace(/\s+/g, '');
  if (encoded === undefined) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw malformed(`has ${field} that is no base64`);
  return Buffer.from(encoded, 'base64').toString('utf8');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(problem: string): Error {
  return clusterFailed(`the kubeconfig ${problem}`);
}
