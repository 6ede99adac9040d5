/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <concur.h>
#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Each test ends by itself; should one not, the whole ends here. */
#define TIME_LIMIT_SECONDS 300

/* Longer than anything here takes, even under a sanitizer on a busy machine. */
#define WAIT_US (60 * G_USEC_PER_SEC)

/* What a reader takes at a time, as concur-file.c has it. Should that change, these tests
 * still hold, but no longer try the sizes where mistakes would be. */
#define CHUNK (128 * 1024)

#if defined (__SANITIZE_ADDRESS__)
/* What cannot be allocated is to be NULL here, not the end of the program. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "allocator_may_return_null=1";
}
#elif defined (__SANITIZE_THREAD__)
const char *__tsan_default_options (void);

const char *
__tsan_default_options (void)
{
  return "allocator_may_return_null=1";
}
#endif

/* A file that is not local: it exists here only. It says whatever size and type it is
 * told to say, and when asked to, its stream gives one byte and then waits until the read
 * is cancelled. */

#define TEST_TYPE_FAKE_STREAM (test_fake_stream_get_type ())
G_DECLARE_FINAL_TYPE (TestFakeStream, test_fake_stream, TEST, FAKE_STREAM, GFileInputStream)

struct _TestFakeStream
{
  GFileInputStream parent_instance;

  GBytes *content;
  gsize position;
  gboolean endless;
};

G_DEFINE_FINAL_TYPE (TestFakeStream, test_fake_stream, G_TYPE_FILE_INPUT_STREAM)

static gssize
test_fake_stream_read (GInputStream *stream,
                       void         *buffer,
                       gsize         count,
                       GCancellable *cancellable,
                       GError      **error)
{
  TestFakeStream *self = TEST_FAKE_STREAM (stream);
  gsize size;
  const char *data = g_bytes_get_data (self->content, &size);

  if (self->endless && self->position > 0)
    {
      GPollFD fd;

      g_assert_true (g_cancellable_make_pollfd (cancellable, &fd));
      g_assert_cmpint (g_poll (&fd, 1, WAIT_US / 1000), ==, 1);
      g_cancellable_release_fd (cancellable);
      g_assert_true (g_cancellable_set_error_if_cancelled (cancellable, error));
      return -1;
    }

  count = MIN (count, size - self->position);
  memcpy (buffer, data + self->position, count);
  self->position += count;

  return (gssize) count;
}

static void
test_fake_stream_finalize (GObject *object)
{
  TestFakeStream *self = TEST_FAKE_STREAM (object);

  g_bytes_unref (self->content);

  G_OBJECT_CLASS (test_fake_stream_parent_class)->finalize (object);
}

static void
test_fake_stream_class_init (TestFakeStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_fake_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = test_fake_stream_read;
}

static void
test_fake_stream_init (TestFakeStream *self)
{
}

#define TEST_TYPE_FAKE_FILE (test_fake_file_get_type ())
G_DECLARE_FINAL_TYPE (TestFakeFile, test_fake_file, TEST, FAKE_FILE, GObject)

struct _TestFakeFile
{
  GObject parent_instance;

  GBytes *content;
  GFileType type;
  goffset size;
  gboolean endless;
};

static char *
test_fake_file_get_path (GFile *file)
{
  return NULL;
}

static char *
test_fake_file_get_parse_name (GFile *file)
{
  return g_strdup ("fake:///one");
}

static GFileInfo *
test_fake_file_query_info (GFile              *file,
                           const char         *attributes,
                           GFileQueryInfoFlags flags,
                           GCancellable       *cancellable,
                           GError            **error)
{
  GFileInfo *info = g_file_info_new ();

  g_file_info_set_file_type (info, TEST_FAKE_FILE (file)->type);
  g_file_info_set_size (info, TEST_FAKE_FILE (file)->size);

  return info;
}

static GFileInputStream *
test_fake_file_read (GFile        *file,
                     GCancellable *cancellable,
                     GError      **error)
{
  TestFakeFile *self = TEST_FAKE_FILE (file);
  TestFakeStream *stream = g_object_new (TEST_TYPE_FAKE_STREAM, NULL);

  stream->content = g_bytes_ref (self->content);
  stream->endless = self->endless;

  return G_FILE_INPUT_STREAM (stream);
}

static void
test_fake_file_iface_init (GFileIface *iface)
{
  iface->get_path = test_fake_file_get_path;
  iface->get_parse_name = test_fake_file_get_parse_name;
  iface->query_info = test_fake_file_query_info;
  iface->read_fn = test_fake_file_read;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestFakeFile, test_fake_file, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_FILE, test_fake_file_iface_init))

static void
test_fake_file_finalize (GObject *object)
{
  g_bytes_unref (TEST_FAKE_FILE (object)->content);

  G_OBJECT_CLASS (test_fake_file_parent_class)->finalize (object);
}

static void
test_fake_file_class_init (TestFakeFileClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_fake_file_finalize;
}

static void
test_fake_file_init (TestFakeFile *self)
{
  self->type = G_FILE_TYPE_REGULAR;
}

static TestFakeFile *
test_fake_file_new (GBytes *content)
{
  TestFakeFile *self = g_object_new (TEST_TYPE_FAKE_FILE, NULL);

  self->content = g_bytes_ref (content);
  self->size = (goffset) g_bytes_get_size (content);

  return self;
}

/* The fixture: a directory of one's own, and an executor with one thread, so that
 * whatever blocks a worker stops everything. */

typedef struct
{
  char *directory;
  ConcurExecutor *executor;
} Fixture;

static void
set_up (Fixture      *fixture,
        gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->directory = g_dir_make_tmp ("concur-file-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
}

static void
tear_down (Fixture      *fixture,
           gconstpointer data)
{
  g_autoptr (ConcurFuture) shutdown = NULL;
  g_autoptr (GDir) dir = g_dir_open (fixture->directory, 0, NULL);
  const char *name;

  shutdown = concur_executor_shutdown (fixture->executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
  g_object_unref (fixture->executor);

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->directory, name, NULL);

      g_assert_no_errno (g_remove (path));
    }

  g_assert_no_errno (g_rmdir (fixture->directory));
  g_free (fixture->directory);
}

static GFile *
get_file (Fixture    *fixture,
          const char *name)
{
  return g_file_new_build_filename (fixture->directory, name, NULL);
}

/* Bytes that differ from chunk to chunk. */
static GBytes *
make_content (gsize size)
{
  guint8 *data = g_malloc (size + 1);
  guint32 state = 2463534242u;

  for (gsize i = 0; i < size; i++)
    {
      state = state * 1664525u + 1013904223u;
      data[i] = (guint8) (state >> 24);
    }

  return g_bytes_new_take (data, size);
}

static GFile *
make_file (Fixture    *fixture,
           const char *name,
           GBytes     *content)
{
  g_autoptr (GError) error = NULL;
  GFile *file = get_file (fixture, name);

  g_file_set_contents (g_file_peek_path (file), g_bytes_get_data (content, NULL),
                       (gssize) g_bytes_get_size (content), &error);
  g_assert_no_error (error);

  return file;
}

/* A file of zeros that takes no space and no time to make. */
static GFile *
make_sparse_file (Fixture    *fixture,
                  const char *name,
                  off_t       size)
{
  GFile *file = get_file (fixture, name);
  int fd = open (g_file_peek_path (file), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_no_errno (fd);
  g_assert_no_errno (ftruncate (fd, size));
  g_assert_no_errno (close (fd));

  return file;
}

static void
assert_digest (Fixture *fixture,
               GFile   *file,
               GBytes  *content)
{
  const GChecksumType types[] = { G_CHECKSUM_MD5, G_CHECKSUM_SHA1, G_CHECKSUM_SHA256,
                                  G_CHECKSUM_SHA512, G_CHECKSUM_SHA384 };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *expected = g_compute_checksum_for_bytes (types[i], content);
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *digest = NULL;

      future = concur_file_digest (file, types[i], fixture->executor, NULL);
      g_assert_true (concur_future_wait (future, WAIT_US));
      digest = concur_future_dup_string (future, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (digest, ==, expected);
    }
}

static void
assert_bytes (Fixture *fixture,
              GFile   *file,
              GBytes  *content)
{
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  future = concur_file_load_bytes (file, fixture->executor, NULL);
  g_assert_true (concur_future_wait (future, WAIT_US));
  bytes = concur_future_dup_bytes (future, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, content));
}

/* Both functions answer with this error, whose message is readable and has @part in it. */
static void
assert_refused (Fixture    *fixture,
                GFile      *file,
                int         code,
                const char *part)
{
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;
  ConcurFuture *futures[2];

  digest = futures[0] = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, NULL);
  bytes = futures[1] = concur_file_load_bytes (file, fixture->executor, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (concur_future_wait (futures[i], WAIT_US));
      g_assert_false (concur_future_check (futures[i], &error));
      g_assert_error (error, G_IO_ERROR, code);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_nonnull (strstr (error->message, part));
      g_assert_cmpint (concur_future_get_state (futures[i]), ==, CONCUR_FUTURE_STATE_REJECTED);
    }
}

static void
assert_cancelled (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_future_wait (future, WAIT_US));
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_CANCELLED);
  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
set_flag (ConcurFuture *future,
          gpointer      user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* As a program with a main loop waits: handlers of signals run meanwhile. */
static void
iterate_until_done (ConcurFuture *future)
{
  gboolean done = FALSE;

  concur_future_when_done (future, set_flag, &done, NULL, NULL);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
}

/* Jobs submitted between these two start when signal handlers are connected, not before. */
static void
pause_executor (Fixture *fixture)
{
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (fixture->executor), TRUE);
}

static void
resume_executor (Fixture *fixture)
{
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (fixture->executor), FALSE);
}

static void
test_sizes (Fixture      *fixture,
            gconstpointer data)
{
  const gsize sizes[] = {
    0, 1, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1,
    2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 7 * CHUNK + 13,
  };

  g_test_summary ("Files of sizes around every boundary have the right digest and bytes");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) content = make_content (sizes[i]);
      g_autoptr (GFile) file = make_file (fixture, "file", content);

      assert_digest (fixture, file, content);
      assert_bytes (fixture, file, content);
    }
}

static void
test_names (Fixture      *fixture,
            gconstpointer data)
{
  const char *const names[] = { "with space", "-dash", "new\nline", "back\\slash", "\xff\xfe\x01" };
  g_autoptr (GBytes) content = make_content (100);

  g_test_summary ("Any name the file system takes is good, also in messages");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GFile) missing = get_file (fixture, names[i]);
      g_autoptr (GFile) file = NULL;
      g_autoptr (ConcurFuture) future = NULL;
      g_autofree char *name = NULL;
      g_autofree char *display_name = g_filename_display_name (names[i]);

      assert_refused (fixture, missing, G_IO_ERROR_NOT_FOUND, display_name);

      file = make_file (fixture, names[i], content);
      assert_digest (fixture, file, content);
      assert_bytes (fixture, file, content);

      future = concur_file_load_bytes (file, fixture->executor, NULL);
      name = concur_future_dup_name (future);
      g_assert_cmpstr (name, ==, display_name);
      g_assert_true (concur_future_wait (future, WAIT_US));
    }
}

static void
test_links (Fixture      *fixture,
            gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (100);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autoptr (GFile) link = get_file (fixture, "link");
  g_autoptr (GFile) broken = get_file (fixture, "broken");
  g_autoptr (GFile) loop = get_file (fixture, "loop");

  g_test_summary ("Symbolic links are followed, as far as they lead somewhere");

  g_assert_no_errno (symlink ("file", g_file_peek_path (link)));
  g_assert_no_errno (symlink ("nowhere", g_file_peek_path (broken)));
  g_assert_no_errno (symlink ("loop", g_file_peek_path (loop)));

  assert_bytes (fixture, file, content);
  assert_digest (fixture, link, content);
  assert_bytes (fixture, link, content);
  assert_refused (fixture, broken, G_IO_ERROR_NOT_FOUND, "/broken");
  assert_refused (fixture, loop, G_IO_ERROR_TOO_MANY_LINKS, "/loop");
}

static void
test_special (Fixture      *fixture,
              gconstpointer data)
{
  g_autoptr (GFile) fifo = get_file (fixture, "fifo");
  g_autoptr (GFile) fifo_link = get_file (fixture, "fifo-link");
  g_autoptr (GFile) socket_file = get_file (fixture, "socket");
  g_autoptr (GFile) directory = g_file_new_for_path (fixture->directory);
  g_autoptr (GFile) device = g_file_new_for_path ("/dev/null");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  g_test_summary ("FIFOs, sockets, devices and directories are refused, without blocking");

  g_assert_no_errno (mkfifo (g_file_peek_path (fifo), 0600));
  g_assert_no_errno (symlink ("fifo", g_file_peek_path (fifo_link)));
  assert_refused (fixture, fifo, G_IO_ERROR_NOT_REGULAR_FILE, "/fifo” is a FIFO");
  assert_refused (fixture, fifo_link, G_IO_ERROR_NOT_REGULAR_FILE, "/fifo-link” is a FIFO");

  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_no_errno (fd);
  g_strlcpy (address.sun_path, g_file_peek_path (socket_file), sizeof address.sun_path);
  g_assert_no_errno (bind (fd, (struct sockaddr *) &address, sizeof address));
  assert_refused (fixture, socket_file, G_IO_ERROR_NOT_REGULAR_FILE, "/socket” is a socket");
  g_assert_no_errno (close (fd));

  assert_refused (fixture, directory, G_IO_ERROR_IS_DIRECTORY, "is a directory");
  assert_refused (fixture, device, G_IO_ERROR_NOT_REGULAR_FILE,
                  "“/dev/null” is a character device");
}

static void
test_fifo_writer (Fixture      *fixture,
                  gconstpointer data)
{
  g_autoptr (GFile) fifo = get_file (fixture, "fifo");
  int fd;

  g_test_summary ("A FIFO is not even opened: its writer sees no reader");

  g_assert_no_errno (mkfifo (g_file_peek_path (fifo), 0600));
  assert_refused (fixture, fifo, G_IO_ERROR_NOT_REGULAR_FILE, "FIFO");

  fd = open (g_file_peek_path (fifo), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (fd, ==, -1);
  g_assert_cmpint (errno, ==, ENXIO);
}

static void
test_unreadable (Fixture      *fixture,
                 gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (100);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autoptr (GFile) below = get_file (fixture, "file/below");

  g_test_summary ("What may not be read, or cannot be there, is an error that says so");

  assert_refused (fixture, below, G_IO_ERROR_NOT_DIRECTORY, "/file/below");

  if (geteuid () == 0)
    {
      g_test_skip ("root may read everything");
      return;
    }

  g_assert_no_errno (g_chmod (g_file_peek_path (file), 0));
  assert_refused (fixture, file, G_IO_ERROR_PERMISSION_DENIED, "/file");
}

/* A file of the kernel's, whose size is not what it says. */
static void
check_kernel_file (Fixture    *fixture,
                   const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autofree char *contents = NULL;
  g_autoptr (GBytes) content = NULL;
  gsize length;

  if (!g_file_get_contents (path, &contents, &length, NULL))
    {
      g_test_message ("%s cannot be read here", path);
      return;
    }

  content = g_bytes_new_take (g_steal_pointer (&contents), length);
  assert_digest (fixture, file, content);
  assert_bytes (fixture, file, content);
}

static void
test_untrue_sizes (Fixture      *fixture,
                   gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (3 * CHUNK + 1);
  g_autoptr (TestFakeFile) fake = test_fake_file_new (content);
  const goffset sizes[] = { 0, 1, CHUNK, 3 * CHUNK, 3 * CHUNK + 2, 8 * CHUNK };

  g_test_summary ("Files are read to their end, whatever size they gave");

  check_kernel_file (fixture, "/proc/version");
  check_kernel_file (fixture, "/proc/filesystems");
  check_kernel_file (fixture, "/sys/devices/system/cpu/online");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      fake->size = sizes[i];
      assert_digest (fixture, G_FILE (fake), content);
      assert_bytes (fixture, G_FILE (fake), content);
    }
}

static void
truncate_file (ConcurFuture *future,
               GParamSpec   *pspec,
               gpointer      user_data)
{
  g_assert_no_errno (truncate (g_file_peek_path (user_data), 1));
}

static void
test_shrinking (Fixture      *fixture,
                gconstpointer data)
{
  const off_t size = 64 * 1024 * 1024;
  g_autoptr (GFile) file = make_sparse_file (fixture, "file", size);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  g_test_summary ("A file cut short while it is read ends where it now ends");

  pause_executor (fixture);
  future = concur_file_load_bytes (file, fixture->executor, NULL);
  g_signal_connect (future, "notify::progress", G_CALLBACK (truncate_file), file);
  resume_executor (fixture);
  iterate_until_done (future);

  bytes = concur_future_dup_bytes (future, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (bytes), >, 0);
  g_assert_cmpuint (g_bytes_get_size (bytes), <=, size);
}

static void
test_too_large (Fixture      *fixture,
                gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (TestFakeFile) fake = test_fake_file_new (content);
  const goffset sizes[] = { G_MAXINT64, G_MAXINT64 / 2 };

  g_test_summary ("What does not fit in memory is refused, and the program lives on");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = NULL;

      fake->size = sizes[i];
      future = concur_file_load_bytes (G_FILE (fake), fixture->executor, NULL);
      g_assert_true (concur_future_wait (future, WAIT_US));
      g_assert_false (concur_future_check (future, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_assert_nonnull (strstr (error->message, "fake:///one"));
    }

  /* A digest needs no more memory than a chunk. */
  assert_digest (fixture, G_FILE (fake), content);
}

static void
test_not_local (Fixture      *fixture,
                gconstpointer data)
{
  const gsize sizes[] = { 0, 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3 };

  g_test_summary ("Files without a path are read through their own implementation");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) content = make_content (sizes[i]);
      g_autoptr (TestFakeFile) fake = test_fake_file_new (content);

      assert_digest (fixture, G_FILE (fake), content);
      assert_bytes (fixture, G_FILE (fake), content);

      fake->type = G_FILE_TYPE_UNKNOWN;
      assert_digest (fixture, G_FILE (fake), content);

      fake->type = G_FILE_TYPE_DIRECTORY;
      assert_refused (fixture, G_FILE (fake), G_IO_ERROR_IS_DIRECTORY, "fake:///one");

      fake->type = G_FILE_TYPE_SPECIAL;
      assert_refused (fixture, G_FILE (fake), G_IO_ERROR_NOT_REGULAR_FILE, "fake:///one");
    }
}

static void
test_cancel_before (Fixture      *fixture,
                    gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;

  g_test_summary ("A cancellable that is cancelled already cancels at once");

  g_cancellable_cancel (cancellable);
  digest = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, cancellable);
  bytes = concur_file_load_bytes (file, fixture->executor, cancellable);
  assert_cancelled (digest);
  assert_cancelled (bytes);
}

static void
test_cancel_queued (Fixture      *fixture,
                    gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;

  g_test_summary ("What has not begun is cancelled without a worker");

  pause_executor (fixture);
  digest = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, cancellable);
  bytes = concur_file_load_bytes (file, fixture->executor, cancellable);
  g_assert_false (concur_future_is_done (digest));
  g_cancellable_cancel (cancellable);
  assert_cancelled (digest);
  assert_cancelled (bytes);
}

static void
cancel_at_progress (ConcurFuture *future,
                    GParamSpec   *pspec,
                    gpointer      user_data)
{
  double progress = concur_future_get_progress (future);

  g_assert_cmpfloat (progress, >, 0);
  g_assert_cmpfloat (progress, <=, 1);
  g_cancellable_cancel (user_data);
}

static void
test_cancel_running (Fixture      *fixture,
                     gconstpointer data)
{
  /* Hours of hashing. */
  g_autoptr (GFile) file = make_sparse_file (fixture, "file", G_GINT64_CONSTANT (1) << 40);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;

  g_test_summary ("A file being read reports its progress, and stops when cancelled");

  pause_executor (fixture);
  future = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, cancellable);
  g_signal_connect (future, "notify::progress", G_CALLBACK (cancel_at_progress), cancellable);
  resume_executor (fixture);
  iterate_until_done (future);

  assert_cancelled (future);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
}

static void
test_cancel_future (Fixture      *fixture,
                    gconstpointer data)
{
  g_autoptr (GFile) file = make_sparse_file (fixture, "file", G_GINT64_CONSTANT (1) << 40);
  g_autoptr (ConcurFuture) future = NULL;

  g_test_summary ("Cancelling the future does it, too");

  future = concur_file_digest (file, G_CHECKSUM_MD5, fixture->executor, NULL);
  while (concur_future_get_progress (future) <= 0)
    g_assert_false (concur_future_wait (future, 100));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  assert_cancelled (future);
}

static void
test_cancel_blocked_read (Fixture      *fixture,
                          gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (TestFakeFile) fake = test_fake_file_new (content);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;

  g_test_summary ("A stream that waits is woken by cancellation");

  /* A size beyond one chunk makes the first byte show as progress. */
  fake->size = 2 * CHUNK;
  fake->endless = TRUE;
  pause_executor (fixture);
  future = concur_file_load_bytes (G_FILE (fake), fixture->executor, cancellable);
  g_signal_connect (future, "notify::progress", G_CALLBACK (cancel_at_progress), cancellable);
  resume_executor (fixture);
  iterate_until_done (future);

  assert_cancelled (future);
}

static void
test_many (Fixture      *fixture,
           gconstpointer data)
{
  enum { N_FILES = 50, N_ROUNDS = 40 };
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (4));
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (ConcurFuture) shutdown = NULL;
  char *expected[N_FILES];
  GFile *files[N_FILES];

  g_test_summary ("Many at once do not get into each other's way");

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autoptr (GBytes) content = make_content (i * i * 97);
      g_autofree char *name = g_strdup_printf ("file-%u", i);

      files[i] = make_file (fixture, name, content);
      expected[i] = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);
    }

  for (guint i = 0; i < N_FILES * N_ROUNDS; i++)
    {
      GFile *file = files[i % N_FILES];
      ConcurFuture *future;

      if (i % 2 == 0)
        future = concur_file_digest (file, G_CHECKSUM_SHA256, executor, NULL);
      else
        future = concur_file_load_bytes (file, executor, NULL);
      g_ptr_array_add (futures, future);
    }

  for (guint i = 0; i < futures->len; i++)
    {
      ConcurFuture *future = g_ptr_array_index (futures, i);
      g_autoptr (GError) error = NULL;
      g_autofree char *digest = NULL;

      g_assert_true (concur_future_wait (future, WAIT_US));
      if (i % 2 == 0)
        {
          digest = concur_future_dup_string (future, &error);
        }
      else
        {
          g_autoptr (GBytes) bytes = concur_future_dup_bytes (future, &error);

          digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
        }
      g_assert_no_error (error);
      g_assert_cmpstr (digest, ==, expected[i % N_FILES]);
    }

  for (guint i = 0; i < N_FILES; i++)
    {
      g_object_unref (files[i]);
      g_free (expected[i]);
    }

  shutdown = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
}

static void
test_default_executor (Fixture      *fixture,
                       gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1000);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autofree char *expected = g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, content);
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *value = NULL;

  g_test_summary ("Without an executor, the default one does it");

  digest = concur_file_digest (file, G_CHECKSUM_SHA1, NULL, NULL);
  bytes = concur_file_load_bytes (file, NULL, NULL);
  g_assert_true (concur_future_wait (digest, WAIT_US));
  g_assert_true (concur_future_wait (bytes, WAIT_US));

  value = concur_future_dup_string (digest, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (value, ==, expected);
  g_assert_true (concur_future_check (bytes, &error));
  g_assert_no_error (error);
}

static void
test_shut_down (Fixture      *fixture,
                gconstpointer data)
{
  g_autoptr (GFile) file = get_file (fixture, "file");
  g_autoptr (ConcurFuture) shutdown = NULL;
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("An executor that takes no more work answers with an error");

  shutdown = concur_executor_shutdown (fixture->executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
  future = concur_file_load_bytes (file, fixture->executor, NULL);
  g_assert_true (concur_future_wait (future, WAIT_US));
  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
}

static void
test_released (Fixture      *fixture,
               gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (3 * CHUNK);
  GFile *files[3] = { make_file (fixture, "file", content), get_file (fixture, "missing"),
                      G_FILE (test_fake_file_new (content)) };
  GCancellable *cancellable = g_cancellable_new ();
  ConcurFuture *futures[6];
  g_autoptr (ConcurFuture) shutdown = NULL;

  g_test_summary ("Nothing is left of a job: not the file, the cancellable or the future");

  for (guint i = 0; i < G_N_ELEMENTS (futures); i += 2)
    {
      futures[i] = concur_file_digest (files[i / 2], G_CHECKSUM_MD5, fixture->executor,
                                       cancellable);
      futures[i + 1] = concur_file_load_bytes (files[i / 2], fixture->executor, cancellable);
    }

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_object_add_weak_pointer (G_OBJECT (files[i]), (gpointer *) &files[i]);
      g_object_unref (files[i]);
    }
  g_object_add_weak_pointer (G_OBJECT (cancellable), (gpointer *) &cancellable);
  g_object_unref (cancellable);

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      g_assert_true (concur_future_wait (futures[i], WAIT_US));
      concur_future_ignore (futures[i]);
      g_object_add_weak_pointer (G_OBJECT (futures[i]), (gpointer *) &futures[i]);
      g_object_unref (futures[i]);
    }

  /* When its threads have ended, no worker has anything in its hands any more. */
  shutdown = concur_executor_shutdown (fixture->executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
  concur_release_pending ();

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    g_assert_null (futures[i]);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    g_assert_null (files[i]);
  g_assert_null (cancellable);
}

static void
test_mistakes (Fixture      *fixture,
               gconstpointer data)
{
  g_autoptr (GFile) file = get_file (fixture, "file");
  gpointer not_that = fixture->executor;

  g_test_summary ("Callers' mistakes are criticals, and nothing worse");

#define ASSERT_CRITICAL(about, call)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_test_expect_message ("Concur", G_LOG_LEVEL_CRITICAL, "concur_file_*'*" about "*'*");         \
    g_assert_null (call);                                                                          \
    g_test_assert_expected_messages ();                                                            \
  }                                                                                                \
  G_STMT_END

  ASSERT_CRITICAL ("G_IS_FILE (file)",
                   concur_file_digest (NULL, G_CHECKSUM_MD5, fixture->executor, NULL));
  ASSERT_CRITICAL ("G_IS_FILE (file)",
                   concur_file_digest (not_that, G_CHECKSUM_MD5, fixture->executor, NULL));
  ASSERT_CRITICAL ("checksum_type",
                   concur_file_digest (file, (GChecksumType) 99, fixture->executor, NULL));
  ASSERT_CRITICAL ("CONCUR_IS_EXECUTOR (executor)",
                   concur_file_digest (file, G_CHECKSUM_MD5, (gpointer) file, NULL));
  ASSERT_CRITICAL ("G_IS_CANCELLABLE (cancellable)",
                   concur_file_digest (file, G_CHECKSUM_MD5, fixture->executor, not_that));

  ASSERT_CRITICAL ("G_IS_FILE (file)", concur_file_load_bytes (NULL, fixture->executor, NULL));
  ASSERT_CRITICAL ("G_IS_FILE (file)", concur_file_load_bytes (not_that, fixture->executor, NULL));
  ASSERT_CRITICAL ("CONCUR_IS_EXECUTOR (executor)",
                   concur_file_load_bytes (file, (gpointer) file, NULL));
  ASSERT_CRITICAL ("G_IS_CANCELLABLE (cancellable)",
                   concur_file_load_bytes (file, fixture->executor, not_that));
#undef ASSERT_CRITICAL
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  alarm (TIME_LIMIT_SECONDS);

#define ADD(name, function) g_test_add ("/file/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("sizes", test_sizes);
  ADD ("names", test_names);
  ADD ("links", test_links);
  ADD ("special", test_special);
  ADD ("fifo-writer", test_fifo_writer);
  ADD ("unreadable", test_unreadable);
  ADD ("untrue-sizes", test_untrue_sizes);
  ADD ("shrinking", test_shrinking);
  ADD ("too-large", test_too_large);
  ADD ("not-local", test_not_local);
  ADD ("cancel/before", test_cancel_before);
  ADD ("cancel/queued", test_cancel_queued);
  ADD ("cancel/running", test_cancel_running);
  ADD ("cancel/future", test_cancel_future);
  ADD ("cancel/blocked-read", test_cancel_blocked_read);
  ADD ("many", test_many);
  ADD ("default-executor", test_default_executor);
  ADD ("shut-down", test_shut_down);
  ADD ("released", test_released);
  ADD ("mistakes", test_mistakes);
#undef ADD

  return g_test_run ();
}
