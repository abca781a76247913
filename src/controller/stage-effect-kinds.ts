/** Effects that are carried out for one stage. */
export type StageEffectKind = 'PrepareStage' | 'ApplyGroup' | 'LookForDeleted' | 'LookAtHealth';

/** The `op` values of part B 9.4; a preparing stage names its own. */
export const operationOf = {
  PrepareStage: 'build',
  ApplyGroup: 'apply',
  LookForDeleted: 'apply',
  LookAtHealth: 'verify',
} as const;
