/** Another one than that of what is applied, so that it stays visible who has written what. */
export const fieldManager = 'stageset-controller-actions';
