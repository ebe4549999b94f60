/* Records what a process writes, in order, so that a test can cut the power at any point of it.
 *
 * Preloaded (LD_PRELOAD); watches files whose path begins with $POWER_ROOT and appends to $POWER_LOG. A record is
 * "kind path-length offset data-length\n", the path, and the data. The kinds: w(rite), t(runcate), s(ync), d(elete),
 * m(ove; the data is the new path). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static int log_file(void) {
    static int descriptor = -1;
    if (descriptor < 0) descriptor = syscall(SYS_openat, AT_FDCWD, getenv("POWER_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return descriptor;
}

static int watched(const char *path) {
    const char *root = getenv("POWER_ROOT");
    return root && path[0] == '/' && !strncmp(path, root, strlen(root));
}

static int path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, 4095);
    path[length < 0 ? 0 : length] = 0;
    return watched(path);
}

static void note(char kind, const char *path, off_t offset, const void *data, size_t length) {
    char head[96];
    int size = snprintf(head, sizeof head, "%c %zu %lld %zu\n", kind, strlen(path), (long long)offset, length);
    struct iovec parts[] = {{head, size}, {(void *)path, strlen(path)}, {(void *)data, length}};
    syscall(SYS_writev, log_file(), parts, 3);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OBSERVED(call, descriptor, happened, kind, offset, data, length) \
    char path[4096];                                                     \
    if (!path_of(descriptor, path)) return call;                         \
    pthread_mutex_lock(&order);                                          \
    __typeof__(call) result = call;                                      \
    if (happened) note(kind, path, offset, data, length);                \
    pthread_mutex_unlock(&order);                                        \
    return result;

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    OBSERVED(REAL(pwrite64)(fd, data, length, offset), fd, result > 0, 'w', offset, data, result)
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    OBSERVED(REAL(pwrite)(fd, data, length, offset), fd, result > 0, 'w', offset, data, result)
}
ssize_t write(int fd, const void *data, size_t length) {
    OBSERVED(REAL(write)(fd, data, length), fd, result > 0, 'w', lseek(fd, 0, SEEK_CUR) - result, data, result)
}
int fsync(int fd) { OBSERVED(REAL(fsync)(fd), fd, result == 0, 's', 0, "", 0) }
int fdatasync(int fd) { OBSERVED(REAL(fdatasync)(fd), fd, result == 0, 's', 0, "", 0) }
int ftruncate64(int fd, off64_t size) { OBSERVED(REAL(ftruncate64)(fd, size), fd, result == 0, 't', size, "", 0) }
int ftruncate(int fd, off_t size) { OBSERVED(REAL(ftruncate)(fd, size), fd, result == 0, 't', size, "", 0) }

int unlink(const char *path) {
    pthread_mutex_lock(&order);
    int result = REAL(unlink)(path);
    if (result == 0 && watched(path)) note('d', path, 0, "", 0);
    pthread_mutex_unlock(&order);
    return result;
}
int rename(const char *from, const char *to) {
    pthread_mutex_lock(&order);
    int result = REAL(rename)(from, to);
    if (result == 0 && watched(to)) note('m', from, 0, to, strlen(to));
    pthread_mutex_unlock(&order);
    return result;
}
