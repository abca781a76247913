/** The field manager of everything that is applied, on every cluster (part A 5.1). */
export const fieldManager = 'stageset-controller';
