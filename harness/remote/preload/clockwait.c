/*
 * Waits with a deadline on a chosen clock, for programs whose time libfaketime squeezes: it knows sem_timedwait and
 * pthread_cond_timedwait, and not these two, which Python's locks and the condition variables of C++ use. Without them
 * such a wait lasts until the real clock shows what the squeezed one is to show.
 *
 * The run compiles this file where there is a C compiler, and preloads it before libfaketime.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* on_the_wall turns a deadline as the program sees it into one on the real clock. */
static struct timespec on_the_wall(clockid_t clock, const struct timespec *until)
{
	const char *text = getenv("AFTERSHOCK_COMPRESS");
	double rate = text ? atof(text) : 1, left;
	struct timespec seen, real;

	clock_gettime(clock, &seen); /* libfaketime's */
	syscall(SYS_clock_gettime, clock, &real);
	left = (double)(until->tv_sec - seen.tv_sec) + (until->tv_nsec - seen.tv_nsec) / 1e9;
	left /= rate > 1 ? rate : 1;
	if (left < 0)
		left = 0;
	real.tv_sec += (time_t)left;
	real.tv_nsec += (long)((left - (time_t)left) * 1e9);
	if (real.tv_nsec >= 1000000000) {
		real.tv_nsec -= 1000000000;
		real.tv_sec++;
	}
	return real;
}

int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	int (*wait)(sem_t *, clockid_t, const struct timespec *) = dlsym(RTLD_NEXT, "sem_clockwait");
	struct timespec t = on_the_wall(clock, until);

	return wait(sem, clock, &t);
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	int (*wait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *) =
		dlsym(RTLD_NEXT, "pthread_cond_clockwait");
	struct timespec t = on_the_wall(clock, until);

	return wait(cond, mutex, clock, &t);
}
