import {
  type DependencyFacts,
  type DependencyGraph,
  dependencyFacts,
  dependencyKeysOf,
  mostDependencies,
  type StageSetKey,
} from '../core/gates/dependency-graph.ts';
import { parseStageSet } from '../core/validate/schema.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { type StageSet, stagesApiVersion } from '../types/stages.ts';
import { isInterruption } from './failure.ts';
import type { StageSets } from './stage-sets.ts';

export interface DependenciesOptions {
  readonly client: KubernetesClient;
  /** Those that are known without asking; none are unless told. */
  readonly stageSets?: Pick<StageSets, 'get' | 'follows'>;
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
}

/** What was asked of the API server during one pass, so that it is asked once. */
export type AskedDependencies = Map<StageSetKey, Promise<DependencyFacts | undefined>>;

/** Most StageSets of namespaces that are not watched that one pass asks for. */
const mostAsked = 100;

/**
 * Finds out how the StageSets are that one depends on, as the controller (part A 9.1). Those that are
 * watched cost no request; one outside the watched namespaces is asked for (part A 2.4).
 */
export class Dependencies {
  readonly #options: DependenciesOptions;

  constructor(options: DependenciesOptions) {
    this.#options = options;
  }

  /** All StageSets that can be reached over `dependsOn`, by breadth, up to a bound. */
  async observe(
    stageSet: StageSet,
    asked: AskedDependencies,
    call: CallOptions,
  ): Promise<DependencyGraph> {
    const graph = new Map<StageSetKey, DependencyFacts>();
    const seen = new Set<StageSetKey>();
    let level = this.#permitted(stageSet.metadata.namespace ?? '', dependencyKeysOf(stageSet));
    while (level.length > 0) {
      const fresh = level.filter((key) => !seen.has(key)).slice(0, mostDependencies - seen.size);
      for (const key of fresh) seen.add(key);
      const found = await Promise.all(
        fresh.map(async (key) => [key, await this.#factsOf(key, asked, call)] as const),
      );
      level = [];
      for (const [key, facts] of found) {
        if (facts === undefined) continue;
        graph.set(key, facts);
        level.push(...this.#permitted(namespaceOf(key), facts.dependsOn));
      }
    }
    return graph;
  }

  /** Where references to other namespaces are refused, what they lead to is nobody's business. */
  #permitted(namespace: string, keys: readonly StageSetKey[]): StageSetKey[] {
    const refused = this.#options.crossNamespaceReferences === 'Refused';
    return keys.filter((key) => !refused || namespaceOf(key) === namespace);
  }

  async #factsOf(
    key: StageSetKey,
    asked: AskedDependencies,
    call: CallOptions,
  ): Promise<DependencyFacts | undefined> {
    const { stageSets } = this.#options;
    if (stageSets?.follows(namespaceOf(key)) === true) {
      const known = stageSets.get(key);
      return known === undefined ? undefined : dependencyFacts(known.value);
    }
    const before = asked.get(key);
    if (before !== undefined) return await before;
    if (asked.size >= mostAsked) return undefined;
    const asking = this.#ask(key, call);
    asked.set(key, asking);
    return await asking;
  }

  /** One that cannot be read counts as not there; silence of the API server ends the pass. */
  async #ask(key: StageSetKey, call: CallOptions): Promise<DependencyFacts | undefined> {
    const [namespace = '', name = ''] = key.split('/');
    const reference = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace, name };
    try {
      const object = await this.#options.client.find(reference, call);
      if (object === undefined) return undefined;
      const parsed = parseStageSet(object);
      return parsed.ok ? dependencyFacts(parsed.value) : undefined;
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      return undefined;
    }
  }
}

function namespaceOf(key: StageSetKey): string {
  return key.slice(0, key.indexOf('/'));
}
