let made = 0;

/** A number for what is made now, greater than those of all that was made before. */
export const nextAge = (): number => ++made;
