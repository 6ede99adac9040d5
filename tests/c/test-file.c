/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the jobs of concur-file.c read, and what they refuse. How they are cancelled and let
 * go is in test-file-jobs.c. */

#include "config.h"

#include "test-file.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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
#undef ADD

  return g_test_run ();
}
