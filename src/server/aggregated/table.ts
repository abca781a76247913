import type { KubernetesObject } from '../../types/kubernetes.ts';

/** A value of a cell; null where there is none. */
export type Cell = string | number | boolean | null;

/** `metav1.TableColumnDefinition`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** `name` for the column that names the object, else empty. */
  readonly format?: 'name';
  readonly description: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: 0 | 1;
}

/** One row; `object` names the object it is about, and is what `includeObject=Object` carries. */
export interface Row {
  readonly cells: readonly Cell[];
  readonly object: KubernetesObject;
}

/** Rows for people, before the server has filled in what `includeObject` asks for. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Metadata of the list, where the answer is one. */
  readonly metadata?: { readonly [field: string]: unknown };
}

/** What each row carries of its object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** The `meta.k8s.io/v1` Table that kubectl prints. */
export function renderTable(table: Table, include: IncludeObject): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: table.metadata ?? {},
    columnDefinitions: table.columns.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.format ?? '',
      description: column.description,
      priority: column.priority,
    })),
    rows: table.rows.map(({ cells, object }) => ({ cells, object: carried(object, include) })),
  };
}

function carried(object: KubernetesObject, include: IncludeObject): object | null {
  switch (include) {
    case 'None':
      return null;
    case 'Metadata':
      return {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: object.metadata,
      };
    case 'Object':
      return object;
  }
}
