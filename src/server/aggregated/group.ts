/** The API group that this server serves, and its only version. */
export const group = 'subresources.stages.metio.wtf';

export const groupVersion = `${group}/v1`;
