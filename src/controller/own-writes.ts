import type { ReflectorEvent } from '../kubernetes/reflector.ts';
import { storeKey, storeKeyOf } from '../kubernetes/store.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

/** A change of an object, as a watch tells it. */
export type ObjectEvent = Exclude<ReflectorEvent, { type: 'Synced' }>;

const expectedAtMost = 10_000;

/** Tells the events of what we wrote ourselves from those of what others did. */
export class OwnWrites {
  /** resourceVersions of our own writes and keys of what we deleted, whose events are no news. */
  readonly #expected = new Set<string>();
  /** Objects that we are writing, with the events that came before the answer did. */
  readonly #underWay = new Map<string, ObjectEvent[]>();
  readonly #onOthers: (event: ObjectEvent) => void;

  constructor(onOthers: (event: ObjectEvent) => void) {
    this.#onOthers = onOthers;
  }

  /**
   * The answer to a write or deletion of an object by us. Its event is not taken for somebody else's,
   * even if it comes before the answer.
   */
  async whileWriting<Answer extends KubernetesObject | DeleteOutcome>(
    { metadata }: Pick<KubernetesObject, 'metadata'>,
    write: () => Promise<Answer>,
  ): Promise<Answer> {
    const key = storeKey(metadata.namespace, metadata.name);
    this.#underWay.set(key, []);
    try {
      const answer = await write();
      if (typeof answer === 'object') this.#expect(answer.metadata.resourceVersion);
      else if (answer !== 'NotFound') this.#expect(deletionOf(key));
      return answer;
    } finally {
      const held = this.#underWay.get(key) ?? [];
      this.#underWay.delete(key);
      for (const event of held) this.see(event);
    }
  }

  /** Takes an event of the watch; tells of it when it is not our own. */
  see(event: ObjectEvent): void {
    const key = storeKeyOf(event.object);
    const held = this.#underWay.get(key);
    if (held !== undefined) {
      held.push(event);
      return;
    }
    const { resourceVersion = '' } = event.object.metadata;
    const ours = this.#expected.delete(
      event.type === 'Deleted' ? deletionOf(key) : resourceVersion,
    );
    if (!ours) this.#onOthers(event);
  }

  #expect(event: string | undefined): void {
    if (event === undefined) return;
    this.#expected.add(event);
    const [oldest] = this.#expected;
    if (this.#expected.size > expectedAtMost && oldest !== undefined) this.#expected.delete(oldest);
  }
}

function deletionOf(key: string): string {
  return `deletion of ${key}`;
}
