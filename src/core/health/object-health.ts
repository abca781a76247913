/** Verdict on one live object in kstatus terms (part A 6.3). */
type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown';

export interface ObjectHealth {
  readonly status: HealthStatus;
  /** For people, on one line, without the object's name: `1 of 3 replicas updated`. */
  readonly message: string;
}

export function current(message: string): ObjectHealth {
  return { status: 'Current', message };
}

export function inProgress(message: string): ObjectHealth {
  return { status: 'InProgress', message };
}

export function failed(message: string): ObjectHealth {
  return { status: 'Failed', message };
}
