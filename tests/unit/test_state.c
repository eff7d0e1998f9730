/*
 * test_state -- the state directory is made for us alone, or refused with its path.
 * Knows state.  Does not know what lies in it.
 * Called by make check, as root or not.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "room.h"
#include "state.h"

static const char *
path_to(const char *name)
{
	static char	 path[600];

	snprintf(path, sizeof(path), "%s/%s", room, name);
	return path;
}

static void
refused(const char *path, const char *why)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	int		 fd = 99;

	assert_int_equal(ph_state_open(path, &fd, &fail), PH_CONFIG);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(fail.text, path));
	assert_non_null(strstr(fail.text, why));
}

TEST(a_missing_directory_is_made_with_its_parents)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct stat	 st;
	mode_t		 mask = umask(0);
	int		 fd;

	must(ph_state_open(path_to("a/b/c"), &fd, &fail), &fail);
	(void)umask(mask);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	must(ph_state_open(path_to("a/b/c"), &fd, &fail), &fail);
	close(fd);
}

TEST(where_others_may_enter_is_refused)
{
	static const mode_t	 modes[] = { 0755, 0750, 0710, 0701, 0720, 0704 };
	size_t			 i;

	assert_int_equal(mkdir("open", 0700), 0);
	for (i = 0; i < COUNT_OF(modes); i++) {
		assert_int_equal(chmod("open", modes[i]), 0);
		refused(path_to("open"), "chmod 0700");
	}
}

TEST(what_is_no_directory_is_refused)
{
	room_write("file", BYTES("x"), 0600);
	refused(path_to("file"), "ot a directory");
	refused(path_to("file/below"), "ot a directory");
}

TEST(what_belongs_to_another_is_refused)
{
	if (geteuid() != 0) {
		refused("/", "belongs to uid 0");
		return;
	}
	assert_int_equal(mkdir("theirs", 0700), 0);
	assert_int_equal(chown("theirs", 1, 1), 0);
	refused(path_to("theirs"), "belongs to uid 1");
}

/* Two helpers that do not see each other's lock would both send. */
TEST(a_network_file_system_has_a_name)
{
	static const struct { uint32_t type; const char *name; } rows[] = {
		{ 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" }, { 0x517b, "SMB" },
		{ 0x65735546, "FUSE" }, { 0x01021997, "9p" }, { 0x00c36400, "Ceph" },
	};
	static const uint32_t	 local[] = {
		0xef53, 0x01021994, 0x58465342, 0x9123683e, 0x794c7630, 0x2fc12fc1,
	};	/* ext4, tmpfs, xfs, btrfs, overlay, zfs */
	size_t			 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(ph_state_network(rows[i].type), rows[i].name);
	for (i = 0; i < COUNT_OF(local); i++)
		assert_null(ph_state_network(local[i]));
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_missing_directory_is_made_with_its_parents),
		in_a_room(where_others_may_enter_is_refused),
		in_a_room(what_is_no_directory_is_refused),
		in_a_room(what_belongs_to_another_is_refused),
		cmocka_unit_test(a_network_file_system_has_a_name),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
