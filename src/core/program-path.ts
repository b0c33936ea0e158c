/**
 * Where the program is in the images of applications. The paths of its libraries are absolute, so it starts only there.
 */

export const PROGRAM_DIRECTORY = '/podsecrets';

export const PROGRAM = `${PROGRAM_DIRECTORY}/podsecrets`;
