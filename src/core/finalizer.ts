/** The finalizer that keeps a StageSet until what it applied is torn down. */
export const finalizer = 'stages.metio.wtf/finalizer';
