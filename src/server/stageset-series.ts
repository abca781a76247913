import { Counter, Gauge, type Registry } from 'prom-client';
import type { StageSetName } from '../types/metrics.ts';

type Labels = Readonly<Record<string, string>>;
type Removable = Counter | Gauge;

/** A family of series that belong to StageSets. The label for the StageSet's name differs (9.1). */
export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly stageSetLabel: 'name' | 'stageset';
  readonly further: readonly string[];
}

/**
 * Remembers which series a StageSet and its stages have, since a series must end with what it
 * describes, and can only be removed by all of its labels.
 */
export class StageSetSeries {
  readonly #registry: Registry;
  /** StageSet -> stage, or '' for the StageSet as a whole -> series -> its removal. */
  readonly #owned = new Map<string, Map<string, Map<string, () => void>>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** A counter; adds `amount` for the labels given. */
  counter(
    options: FamilyOptions,
  ): (stageSet: StageSetName, further: Labels, amount: number) => void {
    const counter = new Counter(familyOf(options, this.#registry));
    return (stageSet, further, amount) => {
      const labels = labelsOf(options, stageSet, further);
      counter.inc(labels, amount);
      this.#remember(options.name, counter, stageSet, further, labels);
    };
  }

  /** A gauge; sets the value for the labels given, or ends their series where there is none. */
  gauge(
    options: FamilyOptions,
  ): (stageSet: StageSetName, further: Labels, value: number | undefined) => void {
    const gauge = new Gauge(familyOf(options, this.#registry));
    return (stageSet, further, value) => {
      if (value === undefined) {
        this.#forgetOne(options.name, stageSet, further);
        return;
      }
      const labels = labelsOf(options, stageSet, further);
      gauge.set(labels, value);
      this.#remember(options.name, gauge, stageSet, further, labels);
    };
  }

  forgetStage(stageSet: StageSetName, stage: string): void {
    const stages = this.#owned.get(keyOf(stageSet));
    if (stages === undefined) return;
    for (const remove of stages.get(stage)?.values() ?? []) remove();
    stages.delete(stage);
  }

  forgetStageSet(stageSet: StageSetName): void {
    for (const stage of [...(this.#owned.get(keyOf(stageSet))?.keys() ?? [])]) {
      this.forgetStage(stageSet, stage);
    }
    this.#owned.delete(keyOf(stageSet));
  }

  #forgetOne(family: string, stageSet: StageSetName, further: Labels): void {
    const series = this.#owned.get(keyOf(stageSet))?.get(further['stage'] ?? '');
    const key = seriesKey(family, further);
    series?.get(key)?.();
    series?.delete(key);
  }

  #remember(
    family: string,
    metric: Removable,
    stageSet: StageSetName,
    further: Labels,
    labels: Labels,
  ): void {
    const stages = entry(
      this.#owned,
      keyOf(stageSet),
      () => new Map<string, Map<string, () => void>>(),
    );
    const series = entry(stages, further['stage'] ?? '', () => new Map<string, () => void>());
    const key = seriesKey(family, further);
    if (!series.has(key)) series.set(key, () => metric.remove(labels));
  }
}

function familyOf(
  { name, help, stageSetLabel, further }: FamilyOptions,
  registry: Registry,
): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
  return {
    name,
    help,
    labelNames: ['namespace', stageSetLabel, ...further],
    registers: [registry],
  };
}

function labelsOf(
  { stageSetLabel }: FamilyOptions,
  stageSet: StageSetName,
  further: Labels,
): Labels {
  return { namespace: stageSet.namespace, [stageSetLabel]: stageSet.name, ...further };
}

function seriesKey(family: string, further: Labels): string {
  return JSON.stringify([family, further]);
}

function keyOf({ namespace, name }: StageSetName): string {
  return `${namespace}/${name}`;
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const present = map.get(key);
  if (present !== undefined) return present;
  const created = create();
  map.set(key, created);
  return created;
}
